import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { emptyState, sandboxRegion, type RegionState, type SimulatorState } from './simulator.state';
import type { ClockScale } from '@libs/kernel';

const DEBOUNCE_MS = 500;

/** Holds the state in memory and, given a folder, keeps `state.json` at most about a second behind. */
export class StateStore {
  readonly state: SimulatorState;
  private timer: NodeJS.Timeout | undefined;
  private closed = false;

  constructor(
    private readonly dataDir: string | undefined,
    clock: ClockScale,
  ) {
    const file = this.path();
    this.state = file !== undefined && existsSync(file) ? load(file) : emptyState(clock);
    if (dataDir !== undefined) mkdirSync(dataDir, { recursive: true });
  }

  /** The region of an account that exists, created as a sandbox when first touched. */
  region(accountId: string, region: string): RegionState {
    const account = this.state.accounts.get(accountId);
    if (account === undefined) throw new Error(`account ${accountId} is not in the simulator`);
    let found = account.regions.get(region);
    if (found === undefined) {
      found = sandboxRegion();
      account.regions.set(region, found);
      this.touch();
    }
    return found;
  }

  /** Everything but the signing identity goes: certificates handed out stay valid over a reset. */
  reset(clock: ClockScale): void {
    const { signing } = this.state;
    Object.assign(this.state, emptyState(clock));
    delete this.state.notifications;
    if (signing !== undefined) this.state.signing = signing;
    this.touch();
  }

  /** Call after every change. */
  touch(): void {
    if (this.dataDir === undefined || this.timer !== undefined || this.closed) return;
    this.timer = setTimeout(() => {
      this.timer = undefined;
      this.save();
    }, DEBOUNCE_MS);
    this.timer.unref();
  }

  save(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    const file = this.path();
    if (file === undefined) return;
    // Written beside and renamed, so that a crash leaves the old file or the new one. It holds a private key: owner only.
    writeFileSync(`${file}.tmp`, JSON.stringify(this.state, packMap), { mode: 0o600 });
    renameSync(`${file}.tmp`, file);
  }

  /** Saves for the last time: the folder may be gone, or another simulator's, from here on. */
  close(): void {
    this.save();
    this.closed = true;
  }

  private path(): string | undefined {
    return this.dataDir === undefined ? undefined : join(this.dataDir, 'state.json');
  }
}

function load(file: string): SimulatorState {
  const state = JSON.parse(readFileSync(file, 'utf8'), unpackMap) as Omit<SimulatorState, 'version'> & {
    version: number;
  };
  if (state.version !== 1) throw new Error(`${file} was written by another version of the simulator; remove it`);
  return { ...state, version: 1 };
}

function packMap(_key: string, value: unknown): unknown {
  return value instanceof Map ? { $map: [...(value as Map<unknown, unknown>)] } : value;
}

function unpackMap(_key: string, value: unknown): unknown {
  if (typeof value === 'object' && value !== null && '$map' in value) {
    return new Map((value as { $map: [unknown, unknown][] }).$map);
  }
  return value;
}
