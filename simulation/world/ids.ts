import { EPOCH_MS } from './virtual-time';

type AnyId = string & { readonly __id: string };

/** Ids in the shape of a uuid v7, counted instead of drawn: the same in every run, ordered by creation. */
export class Ids {
  private count = 0;

  constructor(private readonly nowMs: () => number) {}

  next<Id extends AnyId>(): Id {
    this.count += 1;
    const at = Math.floor(EPOCH_MS + this.nowMs())
      .toString(16)
      .padStart(12, '0');
    const number = this.count.toString(16).padStart(12, '0');
    return `${at.slice(0, 8)}-${at.slice(8)}-7000-8000-${number}` as Id;
  }
}
