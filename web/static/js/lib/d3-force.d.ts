// What of d3-force is used; the vendored scripts themselves are not checked.
export function forceSimulation(nodes: any[]): any;
export function forceLink(links: any[]): any;
export function forceManyBody(): any;
export function forceCollide(radius: (node: any) => number): any;
export function forceX(x: number): any;
export function forceY(y: number): any;
