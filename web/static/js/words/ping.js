// Ping.
// Each key: English, 简体中文.

/** @type {import('../i18n.js').Words} */
export const ping = {
  // ping
  'ping.from': ['Ping from {namespace}', ''],
  'ping.pick': ['Ping from {namespace}: click the target, or type an address below.', ''],
  'ping.source': ['From', ''],
  'ping.target': ['To', ''],
  'ping.targetHint': ['namespace or address', ''],
  'ping.count': ['Count', ''],
  'ping.none': ['Choose where from and where to. Replies appear here as they arrive.', ''],
  'ping.runs': ['Pings so far', ''],
  'ping.received': ['replies', ''],
  'ping.loss': ['loss', ''],
  'ping.stop': ['Stop', ''],
  'ping.again': ['Again', ''],
  'ping.noReply': ['no reply', ''],
};
