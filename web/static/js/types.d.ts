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
  differences?: Difference[];
  incomplete?: string;
  processes?: { pid: number; name: string }[];
  process_count?: number;
  container?: { id: string; name?: string; engine?: string; image?: string };
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
  /** The intended link that this one is, under another name or elsewhere. */
  intended?: LinkRef;
  differences?: Difference[];
}

export interface LinkRef {
  namespace: string;
  name: string;
}

/** One way in which the observed is not the intended; without a field the whole object differs. */
export interface Difference {
  subject: string;
  kind: 'missing' | 'changed' | 'unexpected';
  field?: string;
  intended?: any;
  observed?: any;
}

/** All differences of one namespace; none: it is as intended again. */
export interface DriftEvent {
  namespace: string;
  differences: Difference[] | null;
  in_sync: boolean;
  total: number;
}

export interface DriftReport {
  in_sync: boolean;
  differences: Difference[];
  plan: Plan;
  repair?: Repair;
}

/** What automatic repair is about. */
export interface Repair {
  mode: 'manual' | 'auto';
  state: 'idle' | 'waiting' | 'backing_off';
  attempts?: number;
  next_at?: string;
  reason?: string;
}

export interface Settings {
  repair: 'manual' | 'auto';
  restore: 'on_start' | 'never';
  history: number;
}

/** The answer to adopt and release. */
export interface Adoption {
  subjects: string[];
  warnings: { subject: string; detail: string }[] | null;
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
  owner?: LinkRef;
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
  progress?: { done: number; total: number };
  /** The operation this one undid, and the one that undid this one. */
  undoes?: number;
  undone_by?: number;
  /** The kernel was left as it was. */
  intent_only?: boolean;
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
  drift?: DriftEvent;
  /** Of positions.changed: where everybody sees what is drawn. */
  positions?: { items: import('./core/places.js').Item[]; replaced?: boolean };
  /** Of fdb.removed, where it can be told: expired, flushed, deleted. */
  reason?: string;
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
  errors?: { pointer: string; detail: string; line?: number; column?: number }[];
}

export interface PingRequest {
  namespace: string;
  address?: string;
  to_namespace?: string;
  link?: string;
  count?: number;
  interval_ms?: number;
  timeout_ms?: number;
  size?: number;
  ttl?: number;
  walk?: boolean;
}

/** What came of an echo request; a duplicate or a notice is something besides. */
export interface PingReply {
  seq: number;
  from?: string;
  ttl?: number;
  rtt_ms?: number;
  duplicate?: boolean;
  reordered?: boolean;
  error?: string;
  reason?: string;
  notice?: string;
}

export interface PingResult {
  namespace: string;
  link?: string;
  address: string;
  to_namespace?: string;
  to_link?: string;
  chosen?: string;
  sent: number;
  received: number;
  duplicates?: number;
  reordered?: number;
  errors?: number;
  loss: number;
  duration_ms?: number;
  rtt_ms?: { min: number; avg: number; max: number; mdev: number };
  replies: PingReply[];
  error?: string;
  reason?: string;
}

/** The way of all frames of one ping. */
export interface Walk {
  frames: WalkFrame[];
  decisions: WalkDecision[];
  incomplete?: string;
  dropped: number;
}

export interface WalkFrame {
  id: number;
  kind: string;
  seq?: number;
  continues?: number;
  answers?: number;
  src_mac: string;
  dst_mac: string;
  vlan?: number;
  src_ip?: string;
  dst_ip?: string;
  ttl?: number;
  length?: number;
  hops: WalkHop[];
}

export interface WalkHop {
  id: number;
  from?: number;
  at: string;
  us: number;
  namespace: string;
  link: string;
  direction: 'in' | 'out';
  kind: string;
  src_mac: string;
  dst_mac: string;
  vlan?: number;
  end?: string;
}

export interface WalkDecision {
  id: number;
  bridge: string;
  frame: number;
  hop: number;
  at: string;
  us: number;
  in_port: string;
  out_ports: string[];
  to_itself?: boolean;
  verdict: 'flood' | 'forward' | 'filter' | 'local' | 'drop';
  reason: string;
  detail: string;
  entry?: { port: string; state: string; age_seconds?: number };
  skipped?: { port: string; reason: string }[];
  learned?: { mac: string; port: string; how: string; from_port?: string };
  contradiction?: string;
}

export interface MatrixRequest {
  namespaces?: string[];
  count?: number;
  timeout_ms?: number;
  family?: 'inet' | 'inet6';
}

export interface MatrixCell {
  from: string;
  to: string;
  address?: string;
  to_link?: string;
  ok: boolean;
  sent?: number;
  received?: number;
  rtt_ms?: number;
  reason?: string;
  detail?: string;
  reporter?: string;
}

export interface MatrixSummary {
  pairs: number;
  reached: number;
  duration_ms: number;
  warnings: string[] | null;
  error?: string;
}

/** Counters of a namespace's links, once a second. */
export interface Stats {
  namespace: string;
  interval_seconds?: number;
  links: LinkStats[];
}

export interface LinkStats {
  name: string;
  ifindex: number;
  key: string;
  rx_bytes: number;
  tx_bytes: number;
  rx_packets: number;
  tx_packets: number;
  rx_errors: number;
  tx_errors: number;
  rx_dropped: number;
  tx_dropped: number;
  /** Rates are there from the second sample on. */
  rx_bits_per_second?: number;
  tx_bits_per_second?: number;
  rx_packets_per_second?: number;
  tx_packets_per_second?: number;
}

export interface Firewall {
  items: FirewallChain[];
  tools: FirewallTool[];
  forwarding: { ipv4: boolean; ipv6: boolean };
}

export interface FirewallTool {
  tool: string;
  command: string;
  installed: boolean;
  text: string;
  error?: string;
}

export interface DiagnosisRequest {
  namespace: string;
  address?: string;
  to_namespace?: string;
  size?: number;
}

/** What a sentence of the server says, for other languages than its English. */
export interface Sentence {
  reason: string;
  values?: Record<string, string>;
}

export interface Check extends Sentence {
  check: string;
  status: 'ok' | 'broken' | 'warning' | 'unknown';
  subject?: string;
  detail: string;
  way?: 'there' | 'back';
  evidence?: any;
  /** Commands that would mend it where it is not netdash's to change. */
  advice?: string[];
  repair?: Mend;
  /** Why there is no repair, where netdash would refuse it. */
  refusal?: string;
}

/** What mends a finding of a diagnosis: the Repair of internal/diagnose. */
export interface Mend extends Sentence {
  description: string;
  plan?: Plan;
  request?: { method: string; path: string; body?: any };
}

export interface Diagnosis extends Sentence {
  namespace: string;
  address: string;
  reachable: boolean;
  checks: Check[];
  first_broken?: number;
  summary: string;
}

export interface FirewallChain {
  family: string;
  table: string;
  chain: string;
  hook?: string;
  policy?: string;
  rules: string[];
}

/** The intended topology, as a document has it. */
export interface Spec {
  name?: string;
  ipv6?: boolean;
  namespaces?: { name: string; loopback_up?: boolean; loopback_addresses?: string[]; ipv6?: boolean }[];
  bridges?: ({ namespace: string; name: string; addresses?: string[]; ipv6?: boolean } & BridgeInfo)[];
  veths?: { a: SpecEnd; b: SpecEnd }[];
  routes?: { namespace: string; destination: string; gateway?: string; link?: string; metric?: number }[];
}

export interface SpecEnd {
  namespace: string;
  name: string;
  addresses?: string[];
  master?: string;
}
