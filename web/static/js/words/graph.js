// The graph, and the empty page.
// Each key: English, 简体中文.

/** @type {import('../i18n.js').Words} */
export const graph = {
  // graph
  'graph.label': ['Network graph', ''],
  'graph.view': ['View', ''],
  'graph.zoomIn': ['Zoom in', ''],
  'graph.zoomOut': ['Zoom out', ''],
  'graph.fit': ['Fit everything', ''],
  'graph.tidy': ['Tidy: lay everything out anew', ''],
  'graph.noInterfaces': ['only lo', ''],
  legend: ['Legend', ''],
  'legend.renamed': ['renamed', ''],
  'legend.renamed.why': ['Intended as eth0; somebody gave it another name.', ''],
  'legend.differences': ['differences', ''],

  // empty page
  'empty.loading': ['Reading the network…', ''],
  'empty.title': ['No namespaces yet', ''],
  'empty.text': ['Start with a small lab. It is built in the kernel of this machine, and every step is one API call.', ''],
  'empty.or': ['Or begin with nothing:', ''],
  'lab.pair': ['Two hosts', ''],
  'lab.pair.why': ['A and B, one veth pair, 192.168.1.1/24 and 192.168.1.2/24', ''],
  'lab.bridge': ['Three hosts on a bridge', ''],
  'lab.bridge.why': ['br0 on host, h1 to h3 plugged in, 10.0.0.1/24 to .3/24', ''],
  'lab.built': ['The lab is built.', ''],
};
