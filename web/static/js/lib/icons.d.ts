/** Icon name → children of its 24×24 svg. */
export const icons: Record<string, [string, Record<string, string>][]>;
