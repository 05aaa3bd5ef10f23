import type { ELK as Elk, ELKConstructorArguments } from 'elkjs/lib/elk-api';
export const workerUrl: URL;
export const ELK: { new (args?: ELKConstructorArguments): Elk };
