import { ProcessEnd } from '@libs/kernel';

/** In a file of its own: it is imported before everything else. */
export const end = new ProcessEnd('simulator', 10_000);
