/** The rest of the transaction reads a day or a month as a whole, and each of its statements may take its time (`allowStatements`). */
export const SCAN_SECONDS = 600;

/** What programs are set to (createDataSource) suits statements that find their rows by keys. */
export const ALLOW_SCANS = `
  SELECT set_config('enable_seqscan', 'on', true), set_config('plan_cache_mode', 'auto', true),
         set_config('work_mem', '64MB', true), set_config('jit', 'off', true)`;

/**
 * The same for conditions on times. The planner cannot know how many rows they leave, and takes them for a few: row by row
 * through an index, or once for every account, a day takes minutes.
 */
export const PREFER_SCANS = `${ALLOW_SCANS}, set_config('enable_indexscan', 'off', true), set_config('enable_nestloop', 'off', true)`;
