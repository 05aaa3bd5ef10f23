// Why not?: what is checked, and what came of it.
// Each key: English, 简体中文.

/** @type {import('../i18n.js').Words} */
export const why = {
  'why': ['Why not?', '为什么不通？'],
  'why.none': ['Why does A not reach B? Every condition for a ping is checked in order, from the sender outward; the first one that is broken is shown in the picture.',
    'A 为什么到不了 B？从发送方开始，按顺序检查 ping 通的每个条件；第一个不满足的会在图中标出。'],
  'why.look': ['Look for the cause', '查找原因'],
  'why.again': ['Look again', '再查一次'],
  'why.running': ['Looking …', '正在检查……'],
  'why.mending': ['Mending …', '正在修复……'],
  'why.reachable': ['It pings', '能 ping 通'],
  'why.notReachable': ['It does not ping', 'ping 不通'],
  'why.first': ['The first broken thing', '第一个问题'],
  'why.noCause': ['Nothing that can be seen from here is broken. What is marked with ? could not be seen.', '能看到的都没有问题。标有 ? 的项无法查看。'],
  'why.noCauseAll': ['Nothing that can be seen from here is broken.', '能看到的都没有问题。'],
  'why.counts': ['{ok} in order, {warning} to be looked at, {unknown} not known', '{ok} 项正常，{warning} 项需注意，{unknown} 项未知'],
  'why.mend': ['Mend it', '修复'],
  'why.mended': ['Done: {what}', '已完成：{what}'],
  'why.commands': ['What would be done', '将会执行'],
  'why.noMend': ['netdash cannot mend this by itself.', 'netdash 无法自行修复此问题。'],
  'why.show': ['Show {subject} in the picture', '在图中显示 {subject}'],
  'why.evidence': ['How this is known', '依据'],
  'why.checks': ['Checks, from the sender outward', '检查项（从发送方开始）'],
  'why.mark.broken': ['The first broken thing is here', '第一个问题在这里'],
  'why.mark.warning': ['Something to be looked at is here', '这里有需要注意的地方'],
  'why.forget': ['Close the diagnosis', '关闭诊断'],
  'why.status.ok': ['in order', '正常'],
  'why.status.broken': ['broken', '有问题'],
  'why.status.warning': ['look at it', '需注意'],
  'why.status.unknown': ['not known', '未知'],
};
