// Ping.
// Each key: English, 简体中文.

/** @type {import('../i18n.js').Words} */
export const ping = {
  // ping
  'ping.from': ['Ping from {namespace}', '从 {namespace} 发起 Ping'],
  'ping.pick': ['Ping from {namespace}: click the target, or type an address below.', '从 {namespace} 发起 Ping：点击目标，或在下方输入地址。'],
  'ping.source': ['From', '源'],
  'ping.target': ['To', '目标'],
  'ping.targetHint': ['namespace or address', '命名空间或地址'],
  'ping.count': ['Count', '次数'],
  'ping.interval': ['Interval, ms', '间隔（毫秒）'],
  'ping.size': ['Size, bytes', '大小（字节）'],
  'ping.ttl': ['TTL', 'TTL'],
  'ping.link': ['By link', '经接口'],
  'ping.anyLink': ['as routed', '按路由'],
  'ping.more': ['More', '更多'],
  'ping.trace': ['Trace frames', '跟踪帧'],
  'ping.trace.why': ['Records the frames at every interface and shows how they travelled', '在每个接口记录帧，并展示它们怎样走'],
  'ping.none': ['Choose where from and where to. Replies appear here as they arrive.', '选择从哪里 ping 到哪里，应答会实时显示在这里。'],
  'ping.runs': ['Pings so far', '已做的 Ping'],
  'ping.received': ['replies', '应答'],
  'ping.duplicates': ['duplicates', '重复'],
  'ping.loss': ['loss', '丢包'],
  'ping.stop': ['Stop', '停止'],
  'ping.again': ['Again', '再来一次'],
  'ping.noReply': ['no reply', '无应答'],
  'ping.walk': ['Show the walk', '显示旅程'],
  'ping.plot': ['Round trips: {count} replies, {min} to {max}', '往返时间：{count} 个应答，{min} 至 {max}'],
  'ping.says': ['says {who}', '来自 {who}'],
  'ping.notSent': ['nothing could be sent', '无法发送'],
};
