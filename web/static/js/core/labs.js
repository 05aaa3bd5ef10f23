// The labs the empty page offers, as parts of an intended topology.

/** Two namespaces and one veth pair. @returns {import('../types.js').Spec} */
export const pairLab = () => ({
  namespaces: [{ name: 'A' }, { name: 'B' }],
  veths: [{
    a: { namespace: 'A', name: 'veth0', addresses: ['192.168.1.1/24'] },
    b: { namespace: 'B', name: 'veth0', addresses: ['192.168.1.2/24'] },
  }],
});

/** Three namespaces plugged into a bridge on the host. @returns {import('../types.js').Spec} */
export function bridgeLab() {
  const hosts = ['h1', 'h2', 'h3'];
  return {
    namespaces: hosts.map((name) => ({ name })),
    bridges: [{ namespace: 'host', name: 'br0' }],
    veths: hosts.map((h, i) => ({
      a: { namespace: h, name: 'eth0', addresses: [`10.0.0.${i + 1}/24`] },
      b: { namespace: 'host', name: `p${i + 1}`, master: 'br0' },
    })),
  };
}
