import type { Statements } from '@libs/database';
import { Timers } from '@libs/kernel';
import { Injectable } from '@nestjs/common';
import { daySuffixOf, type DaySuffix } from './day-suffix.policy';

/** Days are made a week ahead and dropped long after they are empty: what is a minute old is right. */
const REREAD_MS = 60_000;

const UNDEFINED_TABLE = '42P01';

const DAYS = `
  SELECT right(c.relname, 10) AS suffix FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
   WHERE i.inhparent = 'message'::regclass AND c.relname ~ '^message_p\\d{8}$'`;

/**
 * Which days have tables of their own, so that statements about messages of one day can name them. A statement on the
 * parents locks and prepares every day there is (docs/decisions/006).
 */
@Injectable()
export class DayTables {
  private days: ReadonlySet<string> = new Set();
  private readAtMs = Number.NEGATIVE_INFINITY;

  constructor(private readonly timers: Timers) {}

  /** Reads the days again when that is due, in that unit. To be called before `suffixOf`. */
  async refresh(unit: Statements): Promise<void> {
    const now = this.timers.monotonicMs();
    if (now - this.readAtMs < REREAD_MS) return;
    const rows = await unit.query<{ suffix: string }>(DAYS);
    this.days = new Set(rows.map(({ suffix }) => suffix));
    this.readAtMs = now;
  }

  /** Of the tables that hold the message: of its day, or '' for the parents. */
  suffixOf(messageId: string): DaySuffix {
    const suffix = daySuffixOf(messageId);
    return this.days.has(suffix) ? suffix : '';
  }

  /** One suffix for all of them, or '' when their days differ. */
  suffixOfAll(messageIds: readonly string[]): DaySuffix {
    const [first = ''] = messageIds;
    const suffix = this.suffixOf(first);
    return messageIds.every((id) => this.suffixOf(id) === suffix) ? suffix : '';
  }

  /** A table that was named is not there: the next one who asks reads the days again. */
  forget(error: unknown): void {
    if ((error as { readonly code?: unknown } | null)?.code === UNDEFINED_TABLE)
      this.readAtMs = Number.NEGATIVE_INFINITY;
  }
}
