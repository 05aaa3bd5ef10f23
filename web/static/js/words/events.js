// Events, ages and times in one line.
// Each key: English, 简体中文.

/** @type {import('../i18n.js').Words} */
export const events = {
  'age.seconds': ['{s}s', '{s} 秒'],
  'age.minutes': ['{m}m {s}s', '{m} 分 {s} 秒'],
  'age.hours': ['{h}h {m}m', '{h} 小时 {m} 分'],

  'event.operState': ['up, oper. state {state}', 'up，运行状态 {state}'],
  'event.portOf': ['{text}, port of {bridge}', '{text}，{bridge} 的端口'],
  'event.route.via': ['{text} via {gateway}', '{text} via {gateway}'],
  'event.route.dev': ['{text} dev {link}', '{text} dev {link}'],
  'event.fdb': ['{bridge} {mac} on {port} {state}', '{bridge} {mac} 在 {port}，{state}'],
  'event.fdb.reason': ['{text}: {reason}', '{text}：{reason}'],
  'event.drift': ['{namespace}: {list}', '{namespace}：{list}'],
  'event.asIntended': ['as intended', '与预期一致'],
  'event.failed': ['{what}: {error}', '{what}：{error}'],
};
