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

  // empty page
  'empty.loading': ['Reading the network…', '正在读取网络…'],
  'empty.title': ['No namespaces yet', '还没有命名空间'],
  'empty.text': ['Start with a small lab. It is built in the kernel of this machine, and every step is one API call.', '先从一个小实验开始。它直接建在本机内核里，每一步都是一次 API 调用。'],
  'empty.or': ['Or begin with nothing:', '或者从零开始：'],
  'lab.pair': ['Two hosts', '两台主机'],
  'lab.pair.why': ['A and B, one veth pair, 192.168.1.1/24 and 192.168.1.2/24', 'A 和 B，一对 veth，192.168.1.1/24 与 192.168.1.2/24'],
  'lab.bridge': ['Three hosts on a bridge', '一个网桥接三台主机'],
  'lab.bridge.why': ['br0 on host, h1 to h3 plugged in, 10.0.0.1/24 to .3/24', 'host 上的 br0，接入 h1 到 h3，10.0.0.1/24 到 .3/24'],
  'lab.built': ['The lab is built.', '实验环境已建好。'],
};
