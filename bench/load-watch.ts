import { machineCpuMs, readTree, treeGrowthMs } from './process-cpu';

/** Cores that others may use before timings stop meaning much. */
const BUSY_CORES = 0.15;

/** Watches how much of the machine is used by processes that are not of this run. */
export class LoadWatch {
  private last = this.read();
  /** Since the last answer: real time, CPU of the whole machine and our own, milliseconds. */
  private since = { elapsed: 0, busy: 0, own: 0 };
  private worst = 0;

  /** Watches a second in which nothing is measured. */
  async look(lab: { readonly wait: (seconds: number) => Promise<void> }): Promise<void> {
    this.foreignCores();
    await lab.wait(1);
    this.foreignCores();
  }

  /** Takes note of what was used up to now: of what is killed with its parent, only this counts as ours. */
  note(): void {
    const now = this.read();
    this.since.elapsed += now.atMs - this.last.atMs;
    this.since.busy += now.busy - this.last.busy;
    this.since.own += treeGrowthMs(this.last.tree, now.tree);
    this.last = now;
  }

  /** Foreign load since the last call, in cores. Ours is this process and all below it. */
  foreignCores(): number {
    this.note();
    const { elapsed, busy, own } = this.since;
    this.since = { elapsed: 0, busy: 0, own: 0 };
    const cores = elapsed < 500 ? 0 : Math.max(0, busy - own) / elapsed;
    this.worst = Math.max(this.worst, cores);
    return cores;
  }

  /** Most that was seen between two calls. */
  get worstCores(): number {
    return this.worst;
  }

  get isBusy(): boolean {
    return this.worst > BUSY_CORES;
  }

  private read() {
    return { atMs: performance.now(), busy: machineCpuMs().busy, tree: readTree(process.pid) };
  }
}
