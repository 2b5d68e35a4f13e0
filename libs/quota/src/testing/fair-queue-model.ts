export type Class = 'tx' | 'mk';

interface Entry {
  readonly id: string;
  readonly cost: number;
}

export interface ModelOffer {
  readonly class: Class;
  readonly tenant: string;
  readonly weight: number;
  readonly cap: number;
  readonly num: number;
  readonly den: number;
  readonly most: number;
  /** Its lane; left out = as before. */
  readonly lane?: string;
  readonly leased?: boolean;
  readonly entries: readonly Entry[];
}

/** Start-time fair queueing of one class: the least start tag goes first, ties by name. */
export class FairQueueModel {
  private virtual = 0;
  private readonly starts = new Map<string, number>();
  private readonly finishes = new Map<string, number>();
  private readonly parked = new Map<string, number>();
  private readonly lists = new Map<string, Entry[]>();

  get size(): number {
    return this.starts.size;
  }

  list(tenant: string): Entry[] {
    const list = this.lists.get(tenant) ?? [];
    this.lists.set(tenant, list);
    return list;
  }

  lengths(): { tenant: string; length: number; parked: boolean }[] {
    const of = (tenant: string, parked: boolean) => ({ tenant, length: this.list(tenant).length, parked });
    return [
      ...[...this.starts.keys()].map((tenant) => of(tenant, false)),
      ...[...this.parked.keys()].map((tenant) => of(tenant, true)),
    ];
  }

  /** An idle tenant enters at the queue's own time; idleness earns no credit. */
  enter(tenant: string): void {
    if (this.starts.has(tenant) || this.parked.has(tenant)) return;
    this.starts.set(tenant, Math.max(this.virtual, this.finishes.get(tenant) ?? 0));
  }

  unpark(nowMs: number): void {
    if (this.parked.size === 0) return;
    const due = [...this.parked].filter(([, until]) => until <= nowMs).map(([tenant]) => tenant);
    for (const tenant of due) this.letGo(tenant);
  }

  letGo(tenant: string): void {
    if (this.parked.delete(tenant)) this.enter(tenant);
  }

  pop(): { tenant: string; start: number } | undefined {
    let best: { tenant: string; start: number } | undefined;
    for (const [tenant, start] of this.starts) {
      if (!best || start < best.start || (start === best.start && tenant < best.tenant)) best = { tenant, start };
    }
    if (best) this.starts.delete(best.tenant);
    return best;
  }

  advance(tenant: string, start: number, by: number): number {
    this.virtual = Math.max(this.virtual, start);
    const finish = start + by;
    this.finishes.set(tenant, finish);
    return finish;
  }

  set(tenant: string, start: number): void {
    this.starts.set(tenant, start);
  }

  setIfWaiting(tenant: string, start: number): void {
    if (this.list(tenant).length > 0) this.set(tenant, start);
  }

  park(tenant: string, start: number, untilMs: number): void {
    this.finishes.set(tenant, start);
    this.parked.set(tenant, untilMs);
  }

  drop(tenant: string): Entry[] {
    const entries = this.list(tenant);
    this.lists.delete(tenant);
    this.starts.delete(tenant);
    this.parked.delete(tenant);
    return entries;
  }

  withdraw(tenant: string, ids: ReadonlySet<string>): Entry[] {
    const entries = this.list(tenant);
    const taken = entries.filter(({ id }) => ids.has(id));
    if (taken.length > 0 && taken.length === entries.length) return this.drop(tenant);
    this.lists.set(
      tenant,
      entries.filter(({ id }) => !ids.has(id)),
    );
    return taken;
  }
}
