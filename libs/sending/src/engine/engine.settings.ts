import type { Stream } from '@libs/kernel';
import { Failpoints } from './failpoints';

export interface EngineOptions {
  /** Names this process uniquely for its whole life; batches and recorder files carry it. */
  readonly worker: string;
  /** Folder of the flight recorder; must outlive the process. */
  readonly recorderDir: string;
  /** How long an attempt stays in doubt before silence counts as evidence, milliseconds of engine time. */
  readonly inDoubtAfterMs: Readonly<Record<Stream, number>>;
  /** How long an account must be closed before what waits for it may go through a sibling, real milliseconds. */
  readonly rerouteAfterMs?: number;
  /** Time between a grant and its first slot, milliseconds: what ticket and claim may take. */
  readonly leadMs?: number;
  /** Worker processes at most, for the quota's headroom. */
  readonly workers?: number;
  /** Whether marketing mail that starts together may share a request; it may unless said. */
  readonly sharedRequests?: boolean;
  /** Where this process is to crash; nowhere unless said. */
  readonly failpoints?: Failpoints;
}

/** What an installation may set about the engine. */
export class EngineSettings {
  readonly worker: string;
  readonly recorderDir: string;
  readonly inDoubtAfterMs: Readonly<Record<Stream, number>>;
  readonly rerouteAfterMs: number;
  readonly leadMs: number;
  readonly workers: number;
  readonly sharedRequests: boolean;

  constructor(options: EngineOptions) {
    this.worker = options.worker;
    this.recorderDir = options.recorderDir;
    this.inDoubtAfterMs = options.inDoubtAfterMs;
    this.rerouteAfterMs = options.rerouteAfterMs ?? 30_000;
    this.leadMs = options.leadMs ?? 150;
    this.workers = options.workers ?? 4;
    this.sharedRequests = options.sharedRequests ?? true;
  }
}
