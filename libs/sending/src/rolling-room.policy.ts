const DAY_MS = 86_400_000;

/** A rolling day, or a shorter span of time. */
interface RollingWindow {
  readonly spanMs: number;
  readonly limit: bigint;
  readonly used: bigint;
  readonly need: bigint;
  /** Of the message itself, the last of them. */
  readonly recipients: number;
  /** When the first of those used is free again, engine milliseconds; null = not known. */
  readonly firstFreeMs: number | null;
  readonly nowMs: number;
}

/**
 * When a rolling window of `limit` recipients has room for the last of `need` recipients that wait: each of them takes the
 * room of the one `limit` places before it, one span after that went. Null when there is never enough: a message goes whole.
 */
export function roomAt(window: RollingWindow): Date | null {
  const { limit, used, need, recipients, firstFreeMs, nowMs, spanMs } = window;
  if (limit < BigInt(Math.max(1, recipients))) return null;
  const going = used > limit ? used : limit;
  const spans = (used + need - going + limit - 1n) / limit;
  // The one before it that starts the row has gone already, or goes now.
  const free = used + need - spans * limit <= used ? (firstFreeMs ?? nowMs + spanMs) : nowMs + spanMs;
  return new Date(Math.max(nowMs, free) + (Number(spans) - 1) * spanMs);
}

/** The same where every day has more room than the one before; undefined where none has. */
export function grownRoomAt(day: RollingWindow, laterCaps: readonly bigint[]): Date | undefined {
  const { limit, used, need, recipients, firstFreeMs, nowMs } = day;
  const last = laterCaps.at(-1);
  if (last === undefined || last <= limit || last < BigInt(recipients)) return undefined;
  let over = need - (used > limit ? 0n : limit - used);
  let days = 0;
  for (const cap of laterCaps) {
    if (over <= 0n) break;
    over -= cap;
    days += 1;
  }
  if (over > 0n) days += Number((over + last - 1n) / last);
  return new Date(Math.max(nowMs, firstFreeMs ?? nowMs + DAY_MS) + (days - 1) * DAY_MS);
}
