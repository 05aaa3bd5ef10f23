// Forms, and what is said before something is deleted.
// Each key: English, 简体中文.

/** @type {import('../i18n.js').Words} */
export const forms = {
  // forms
  'create.namespace': ['Create a namespace', ''],
  'create.veth': ['Create a veth pair', ''],
  'create.bridge': ['Create a bridge', ''],
  'edit.title': ['Edit {link}', ''],
  'field.name': ['Name', ''],
  'field.linkName': ['Link name', ''],
  'field.loopback': ['Bring lo up', ''],
  'field.loopback.why': ['While lo is down, even 127.0.0.1 is unreachable inside.', ''],
  'field.master': ['Plugged into', ''],
  'field.address': ['Address', ''],
  'field.cidr': ['Address with prefix length', ''],
  'field.mac': ['MAC address', ''],
  'field.ageing': ['MACs age out after (s)', ''],
  'field.stp': ['Spanning tree protocol', ''],
  'field.stp.why': ['Keeps loops of bridges from flooding; a new port waits before it forwards.', ''],
  'field.destination': ['Destination', ''],
  'field.gateway': ['Gateway', ''],
  'field.via': ['Link', ''],
  'field.metric': ['Metric', ''],
  'field.optional': ['none', ''],
  'field.automatic': ['automatic', ''],
  'field.more': ['MAC and MTU…', ''],
  'veth.a': ['One end', ''],
  'veth.b': ['Other end', ''],
  'preview.commands': ['Does the same as', ''],
  'preview.curl': ['Over the API', ''],
  'preview.nothing': ['# nothing to do', ''],
  'preview.refused': ['# refused as it stands', ''],

  // delete
  'delete.title': ['Delete {subject}?', ''],
  'delete.sentence': ['{what} {subject} will be deleted.', ''],
  'goes.nothing': ['Nothing else goes with it.', ''],
  'goes.links': ['With it go its links {list}.', ''],
  'goes.peers': ['The other end goes, too: {list}.', ''],
  'goes.ports': ['Unplugged, but kept: {list}.', ''],
  'goes.addresses': ['Its addresses go: {list}.', ''],
  'kind.namespace': ['Namespace', ''],
  'kind.veth': ['Veth end', ''],
  'kind.bridge': ['Bridge', ''],
};
