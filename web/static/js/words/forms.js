// Forms, and what is said before something is deleted.
// Each key: English, 简体中文.

/** @type {import('../i18n.js').Words} */
export const forms = {
  // forms
  'create.namespace': ['Create a namespace', '创建命名空间'],
  'create.veth': ['Create a veth pair', '创建 veth 对'],
  'create.bridge': ['Create a bridge', '创建网桥'],
  'edit.title': ['Edit {link}', '编辑 {link}'],
  'field.name': ['Name', '名称'],
  'field.linkName': ['Link name', '链路名称'],
  'field.loopback': ['Bring lo up', '启用 lo'],
  'field.loopback.why': ['While lo is down, even 127.0.0.1 is unreachable inside.', 'lo 处于 down 时，在其中连 127.0.0.1 都不可达。'],
  'field.master': ['Plugged into', '接入网桥'],
  'field.address': ['Address', '地址'],
  'field.cidr': ['Address with prefix length', '带前缀长度的地址'],
  'field.mac': ['MAC address', 'MAC 地址'],
  'field.ageing': ['MACs age out after (s)', 'MAC 老化时间（秒）'],
  'field.stp': ['Spanning tree protocol', '生成树协议（STP）'],
  'field.stp.why': ['Keeps loops of bridges from flooding; a new port waits before it forwards.', '防止网桥环路造成泛洪；新端口要等一段时间才开始转发。'],
  'field.destination': ['Destination', '目的网络'],
  'field.gateway': ['Gateway', '网关'],
  'field.via': ['Link', '链路'],
  'field.metric': ['Metric', '度量值'],
  'field.optional': ['none', '无'],
  'field.automatic': ['automatic', '自动'],
  'field.more': ['MAC and MTU…', 'MAC 和 MTU…'],
  'veth.a': ['One end', '一端'],
  'veth.b': ['Other end', '另一端'],
  'preview.commands': ['Does the same as', '等同于执行'],
  'preview.curl': ['Over the API', '通过 API'],
  'preview.nothing': ['# nothing to do', '# 无事可做'],
  'preview.refused': ['# refused as it stands', '# 按现在的内容会被拒绝'],

  // delete
  'delete.title': ['Delete {subject}?', '删除 {subject}？'],
  'delete.sentence': ['{what} {subject} will be deleted.', '将删除{what} {subject}。'],
  'goes.nothing': ['Nothing else goes with it.', '不会牵连其他对象。'],
  'goes.links': ['With it go its links {list}.', '其中的链路 {list} 会一同删除。'],
  'goes.peers': ['The other end goes, too: {list}.', '对端也会消失：{list}。'],
  'goes.ports': ['Unplugged, but kept: {list}.', '断开但保留：{list}。'],
  'goes.addresses': ['Its addresses go: {list}.', '地址随之消失：{list}。'],
  'kind.namespace': ['Namespace', '命名空间'],
  'kind.veth': ['Veth end', 'veth 端'],
  'kind.bridge': ['Bridge', '网桥'],
};
