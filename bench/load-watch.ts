import { machineCpuMs, treeCpuMs } from './process-cpu';

/** Cores that others may use before timings stop meaning much. */
const BUSY_CORES = 0.15;

/** Watches how much of the machine is used by processes that are not of this run. */
export class LoadWatch {
  private last = this.read();
  private worst = 0;

  /** Watches a second in which nothing is measured. */
  async look(lab: { readonly wait: (seconds: number) => Promise<void> }): Promise<void> {
    this.foreignCores();
    await lab.wait(1);
    this.foreignCores();
  }

  /** Foreign load since the last call, in cores. Ours is this process and all below it. */
  foreignCores(): number {
    const now = this.read();
    const elapsedMs = now.atMs - this.last.atMs;
    const foreign = Math.max(0, now.busy - this.last.busy - (now.own - this.last.own));
    this.last = now;
    const cores = elapsedMs < 500 ? 0 : foreign / elapsedMs;
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
    return { atMs: performance.now(), busy: machineCpuMs().busy, own: treeCpuMs(process.pid) };
  }
}
