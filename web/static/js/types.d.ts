// The wire types of internal/topology, by hand. JSDoc refers to them as
// import('../types.js').Link.

export type Sync = 'in_sync' | 'drifted' | 'missing' | 'foreign';

export interface Snapshot {
  seq: number;
  revision: number;
  namespaces: NamespaceState[];
}

export interface NamespaceState {
  id: string;
  name: string;
  names: string[] | null;
  managed: boolean;
  sync: Sync;
  incomplete?: string;
  links: Link[];
  routes: RouteState[];
  neighbours: Neighbour[];
  fdb: FDBEntry[];
}

export interface Link {
  key: string;
  namespace: string;
  name: string;
  ifindex: number;
  kind: string;
  mac: string;
  mtu: number;
  admin_up: boolean;
  oper_state: string;
  carrier: boolean;
  flags: string[] | null;
  alias?: string;
  master?: string;
  peer?: Peer;
  addresses: Address[];
  bridge?: BridgeInfo;
  bridge_port?: PortInfo;
  managed: boolean;
  sync: Sync;
}

export interface Peer {
  known: boolean;
  namespace?: string;
  name?: string;
  ifindex: number;
  key?: string;
}

export interface Address {
  cidr: string;
  scope: string;
  flags?: string[];
  protocol?: string;
}

export interface BridgeInfo {
  stp?: boolean;
  ageing_seconds?: number;
  forward_delay_seconds?: number;
  hello_seconds?: number;
  max_age_seconds?: number;
  priority?: number;
  multicast_snooping?: boolean;
  vlan_filtering?: boolean;
  id?: string;
  root_id?: string;
  root_port?: number;
  topology_change?: boolean;
}

export interface PortInfo {
  state: string;
  number: number;
  cost?: number;
  priority?: number;
  hairpin?: boolean;
  guard?: boolean;
  root_block?: boolean;
  fastleave?: boolean;
  learning?: boolean;
  flood?: boolean;
  mcast_flood?: boolean;
  bcast_flood?: boolean;
  isolated?: boolean;
}

export interface RouteState {
  namespace: string;
  destination: string;
  family: 'inet' | 'inet6';
  gateway?: string;
  link?: string;
  source?: string;
  metric?: number;
  protocol: string;
  scope: string;
  type: string;
  flags?: string[];
  managed: boolean;
  sync: Sync;
}

export interface Neighbour {
  namespace: string;
  link: string;
  address: string;
  mac?: string;
  state: string;
  router?: boolean;
}

export interface FDBEntry {
  namespace: string;
  bridge: string;
  mac: string;
  port: string;
  vlan?: number;
  state: 'learned' | 'static' | 'local';
  age_seconds?: number;
  owner?: { namespace: string; name: string };
  managed: boolean;
  sync: Sync;
}

export interface ChangeRecord {
  kind: string;
  subject: string;
  command: string;
}

export interface Plan {
  changes: ChangeRecord[];
}

export interface Operation {
  id: number;
  state: 'running' | 'committed' | 'failed' | 'undone';
  author: string;
  request: string;
  changes: ChangeRecord[] | null;
  commands: string[] | null;
  error?: string;
  started_at: string;
  duration_ms: number;
}

export interface AddressEvent extends Address {
  namespace: string;
  link: string;
  key: string;
}

export interface TopologyEvent {
  type: string;
  seq: number;
  at: string;
  origin: string;
  namespace?: NamespaceState;
  link?: Link;
  address?: AddressEvent;
  route?: RouteState;
  neighbour?: Neighbour;
  fdb?: FDBEntry;
  operation?: Operation;
}

export interface SnapshotMessage {
  type: 'snapshot';
  seq: number;
  revision: number;
  topology: Snapshot;
}

export interface Problem {
  type?: string;
  title?: string;
  status: number;
  detail: string;
  code: string;
  subject?: string;
  hint?: string;
  errors?: { pointer: string; detail: string }[];
}

export interface PingRequest {
  namespace: string;
  address?: string;
  to_namespace?: string;
  count?: number;
  interval_ms?: number;
  timeout_ms?: number;
  size?: number;
  ttl?: number;
}

export interface PingReply {
  seq: number;
  from?: string;
  ttl?: number;
  rtt_ms?: number;
  error?: string;
}

export interface PingResult {
  namespace: string;
  address: string;
  sent: number;
  received: number;
  loss: number;
  rtt_ms?: { min: number; avg: number; max: number; mdev: number };
  replies: PingReply[];
  error?: string;
}

export interface FirewallChain {
  family: string;
  table: string;
  chain: string;
  hook?: string;
  policy?: string;
  rules: string[];
}
