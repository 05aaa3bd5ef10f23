// The labs the empty page offers, as the commands that build them.
import { commands } from './api.js';

const namespace = (name) => commands.createNamespace({ name });

/** Two namespaces and one veth pair. */
export function pairLab() {
  return [
    namespace('A'),
    namespace('B'),
    commands.createVeth({
      a: { namespace: 'A', name: 'veth0', addresses: ['192.168.1.1/24'] },
      b: { namespace: 'B', name: 'veth0', addresses: ['192.168.1.2/24'] },
    }),
  ];
}

/** Three namespaces plugged into a bridge on the host. */
export function bridgeLab() {
  const hosts = ['h1', 'h2', 'h3'];
  return [
    commands.createBridge({ namespace: 'host', name: 'br0' }),
    ...hosts.flatMap((h, i) => [
      namespace(h),
      commands.createVeth({
        a: { namespace: h, name: 'eth0', addresses: [`10.0.0.${i + 1}/24`] },
        b: { namespace: 'host', name: `p${i + 1}`, master: 'br0' },
      }),
    ]),
  ];
}
