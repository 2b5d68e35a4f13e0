import { setTimeout as sleep } from 'node:timers/promises';
import { fromPublicId } from '@libs/kernel';
import { GraphqlClient, GraphqlRefused } from '../tools/local-stack/graphql-client';
import type { SeededTenant } from '../tools/local-stack/seed';
import type { Witness } from './witness';

/** A tenant under load and how many of its messages wait at any time. */
export interface LoadedTenant {
  readonly tenant: SeededTenant;
  readonly backlog: number;
  /** Whether all of it is marketing mail; a third is transactional otherwise. */
  readonly campaign?: true;
}

const LOOK_MS = 150;
/** A trickle is a tenth of the usual backlog, every 600 ms at most. */
const CALM_PARTS = 10;
const CALM_LOOKS = 4;
const RETRY_MS = 300;
/** An api that has not answered for so long is down for good. */
const PATIENCE_MS = 60_000;
/** Every so many-th message goes to three recipients, every third one is transactional. */
const SEVERAL_EVERY = 20;
const TRANSACTIONAL_EVERY = 3;

/**
 * Customers who hand in mail as fast as it leaves, so that every account always has a few seconds' worth to send. What an
 * answer was lost for is asked for again under the same key, as a customer would.
 */
export class Load {
  /** Message ids the api acknowledged. */
  readonly receipts = new Set<string>();
  private stopping = false;
  private calm = false;
  private abandoned = false;
  private problem: Error | undefined;
  private readonly loops: Promise<void>[] = [];

  constructor(
    private readonly apiUrl: string,
    private readonly tenants: readonly LoadedTenant[],
    private readonly witness: Witness,
    /** Part of every idempotency key; used once. */
    private readonly run: string,
  ) {}

  start(): void {
    for (const loaded of this.tenants) {
      this.loops.push(
        this.feed(loaded).catch((error: unknown) => {
          this.problem ??= error instanceof Error ? error : new Error(String(error));
        }),
      );
    }
  }

  /**
   * Hands in nothing more. Resolves when every request under way has been answered.
   * @throws what the api refused for good
   */
  async stop(): Promise<void> {
    this.stopping = true;
    await Promise.all(this.loops);
    if (this.problem) throw this.problem;
  }

  /** From now on only a trickle, so that doubts find witnesses and events catch up. */
  calmDown(): void {
    this.calm = true;
  }

  /** Hands in nothing more and asks for no answer a second time. Resolves when nothing is under way any more; never rejects. */
  async abandon(): Promise<void> {
    this.stopping = true;
    this.abandoned = true;
    await Promise.all(this.loops);
  }

  private isStopping(): boolean {
    return this.stopping;
  }

  private async feed(loaded: LoadedTenant): Promise<void> {
    const { tenant, backlog } = loaded;
    const client = new GraphqlClient(`${this.apiUrl}/graphql`, tenant.liveKey);
    let waiting: string[] = [];
    for (let number = 0; !this.isStopping(); number += 1) {
      const size = Math.ceil(backlog / (this.calm ? CALM_PARTS : 2));
      const ids = await this.handIn(client, loaded, size, number);
      for (const id of ids) this.receipts.add(id);
      waiting.push(...ids);
      const enough = this.calm ? 0 : backlog - size;
      let pauses = this.calm ? CALM_LOOKS : 1;
      do {
        await sleep(LOOK_MS);
        pauses -= 1;
        waiting = waiting.filter((id) => !this.witness.hasArrived(id));
      } while (!this.isStopping() && (pauses > 0 || waiting.length > enough));
    }
  }

  private async handIn(client: GraphqlClient, loaded: LoadedTenant, size: number, number: number): Promise<string[]> {
    const emails = Array.from({ length: size }, (_, i) => email(loaded, number * size + i));
    const input = { idempotencyKey: `${this.run}/${number}`, emails };
    const deadline = performance.now() + PATIENCE_MS;
    for (;;) {
      try {
        const { results } = await client.mutate<{ results: { message: { id: string } | null }[] }>(
          'sendEmails',
          input,
          'results { message { id } userErrors { message } }',
        );
        return results.flatMap(({ message }) => fromPublicId('message', message?.id ?? '') ?? []);
      } catch (error) {
        const final = error instanceof GraphqlRefused && !error.codes.every((code) => TRANSIENT.has(code));
        if (final || this.abandoned || performance.now() > deadline) throw error;
        await sleep(RETRY_MS);
      }
    }
  }
}

/** Refusals that say nothing about the mail. */
const TRANSIENT = new Set(['INTERNAL', 'IDEMPOTENCY_IN_PROGRESS', 'RATE_LIMITED']);

function email({ tenant, campaign }: LoadedTenant, number: number) {
  const recipients = number % SEVERAL_EVERY === 0 ? 3 : 1;
  return {
    from: { email: `hello@${tenant.domain}`, name: tenant.name },
    to: Array.from({ length: recipients }, (_, i) => ({ email: `reader-${number}-${i}@inbox.example` })),
    content: { inline: { subject: `Letter ${number}`, text: `Letter ${number} of ${tenant.name}.` } },
    stream: campaign !== true && number % TRANSACTIONAL_EVERY === 0 ? 'TRANSACTIONAL' : 'MARKETING',
  };
}
