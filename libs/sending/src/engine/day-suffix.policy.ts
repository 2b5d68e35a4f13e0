/** How the tables of a day end, `_p20261122`; '' stands for the parents, which hold every day. */
export type DaySuffix = '' | `_p${string}`;

const DAY_MS = 86_400_000;
/** Characters of a uuid v7 that hold its time: milliseconds since 1970, 48 bits. */
const TIME = 13;

const known = new Map<number, DaySuffix>();

/** The suffix of the day, in UTC, that a uuid v7 was made on: what create_day_partitions calls its tables. '' for an id without a time. */
export function daySuffixOf(id: string): DaySuffix {
  const day = Math.floor(Number.parseInt(id.slice(0, TIME).replace('-', ''), 16) / DAY_MS);
  let suffix = known.get(day);
  if (suffix === undefined) {
    suffix = written(day);
    // Ids of customers' making could name any day; the days of real mail are few.
    if (known.size < 1_000) known.set(day, suffix);
  }
  return suffix;
}

function written(day: number): DaySuffix {
  const date = new Date(day * DAY_MS);
  return Number.isNaN(date.getTime()) || date.getUTCFullYear() > 9999
    ? ''
    : `_p${date.toISOString().slice(0, 10).replaceAll('-', '')}`;
}
