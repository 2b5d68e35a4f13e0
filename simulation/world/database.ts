import type { Statements, UnitOfWork } from '@libs/database';
import type { TenantId } from '@libs/kernel';
import type { SimulatedProcess } from './simulated-process';
import type { Tables } from './tables';
import type { Wire } from './wire';

/**
 * Units of work on the tables, one at a time: the whole transaction happens at the moment it reaches the server. A killed
 * process leaves nothing of it or all of it, and a lost reply hides which.
 */
export class SimulatedUnitOfWork implements Pick<
  UnitOfWork,
  'forSystem' | 'forEngine' | 'forLooks' | 'forTenant' | 'forShared' | 'forEdge' | 'onCommit'
> {
  private open = false;
  private effects: (() => Promise<void> | void)[] = [];

  constructor(
    private readonly process: SimulatedProcess,
    private readonly tables: Tables,
    private readonly wire: Wire,
  ) {}

  forSystem<T>(work: () => Promise<T>): Promise<T> {
    return this.open ? work() : this.transaction(work);
  }

  /** Repositories on the tables in memory need no statements. */
  forEngine<T>(work: (unit: Statements) => Promise<T>): Promise<T> {
    return this.transaction(() => work(undefined as never));
  }

  forLooks<T>(work: (looks: Statements) => Promise<T>): Promise<T> {
    return this.forEngine(work);
  }

  forTenant<T>(_tenant: TenantId, work: () => Promise<T>): Promise<T> {
    return this.forSystem(work);
  }

  forShared<T>(work: () => Promise<T>): Promise<T> {
    return this.forSystem(work);
  }

  forEdge<T>(work: () => Promise<T>): Promise<T> {
    return this.forSystem(work);
  }

  onCommit(effect: () => Promise<void> | void): void {
    this.effects.push(effect);
  }

  private async transaction<T>(work: () => Promise<T>): Promise<T> {
    let effects: (() => Promise<void> | void)[] = [];
    const result = await this.wire.call(this.process, 'postgres', async () => {
      this.tables.begin();
      this.open = true;
      try {
        const value = await work();
        if (this.process.alive) this.tables.commit();
        else this.tables.rollback();
        effects = this.effects;
        return value;
      } catch (error) {
        this.tables.rollback();
        throw error;
      } finally {
        this.open = false;
        this.effects = [];
      }
    });
    for (const effect of effects) await effect();
    return result;
  }
}
