// The graph, and the empty page.
// Each key: English, 简体中文.

/** @type {import('../i18n.js').Words} */
export const graph = {
  // graph
  'graph.label': ['Network graph', '网络图'],
  'graph.view': ['View', '视图'],
  'graph.zoomIn': ['Zoom in', '放大'],
  'graph.zoomOut': ['Zoom out', '缩小'],
  'graph.fit': ['Fit everything', '显示全部'],
  'graph.tidy': ['Tidy: lay everything out anew', '整理：重新布局'],
  'graph.noInterfaces': ['only lo', '只有 lo'],
  legend: ['Legend', '图例'],
  'legend.renamed': ['renamed', '已改名'],
  'legend.renamed.why': ['Intended as eth0; somebody gave it another name.', '预期名称是 eth0，有人给它改了名。'],
  'legend.differences': ['differences', '处差异'],
  'graph.connect': ['Drag to a card or a bar to connect', '拖到另一张卡片或网桥上即可连接'],
  'graph.connectTo': ['{name}: choose what to connect it to', '{name}：请选择要连接的另一端'],
  'graph.chosen': ['{count} chosen', '已选择 {count} 个'],
  'graph.keys': ['Arrow keys go from card to card, Enter selects, Shift with Enter chooses several.', '方向键在卡片之间移动，Enter 选中，Shift 加 Enter 选择多个。'],
  'graph.spot': ['Make something here', '在此处新建'],
  'graph.namespaceHere': ['Namespace here', '在此新建命名空间'],
  'graph.bridgeHere': ['Bridge here', '在此新建网桥'],
  'graph.minimap': ['Overview map', '概览图'],
  'graph.fold': ['Fold the members of {bridge}', '收起 {bridge} 的成员'],
  'graph.unfold': ['Unfold the members of {bridge}', '展开 {bridge} 的成员'],
  'graph.foldAll': ['Fold the members of all bridges', '收起所有网桥的成员'],
  'graph.unfoldAll': ['Unfold the members of all bridges', '展开所有网桥的成员'],
  'graph.router': ['joins networks', '连接多个网络'],
  'graph.picture': ['Save the picture', '保存图片'],
  'graph.picture.svg': ['SVG, to be scaled and edited', 'SVG，可缩放和编辑'],
  'graph.picture.png': ['PNG, for slides and documents', 'PNG，适合幻灯片和文档'],
  'graph.picture.none': ['There is nothing to draw yet.', '还没有可绘制的内容。'],

  // empty page
  'empty.loading': ['Reading the network…', '正在读取网络…'],
  'empty.title': ['No namespaces yet', '还没有命名空间'],
  'empty.text': ['Start with a small lab. It is built in the kernel of this machine, by one API call, and undone by one click.', '先从一个小实验开始。它直接建在本机内核里，一次 API 调用即可建成，一次点击即可撤销。'],
  'empty.or': ['Or begin with nothing:', '或者从零开始：'],
  'empty.templates': ['From a template:', '用模板：'],
  'lab.pair': ['Two hosts', '两台主机'],
  'lab.pair.why': ['A and B, one veth pair, 192.168.1.1/24 and 192.168.1.2/24', 'A 和 B，一对 veth，192.168.1.1/24 与 192.168.1.2/24'],
  'lab.bridge': ['Three hosts on a bridge', '一个网桥接三台主机'],
  'lab.bridge.why': ['br0 on host, h1 to h3 plugged in, 10.0.0.1/24 to .3/24', 'host 上的 br0，接入 h1 到 h3，10.0.0.1/24 到 .3/24'],
  'lab.built': ['The lab is built.', '实验环境已建好。'],
};
