/** A page request after validation: at most 100 rows, after or before an opaque cursor. */
export interface PageRequest {
  readonly limit: number;
  readonly after?: string;
  readonly before?: string;
}

/** A page of rows in list order, with whether more stand on either side. */
export interface Page<Row> {
  readonly rows: readonly Row[];
  readonly hasNext: boolean;
  readonly hasPrevious: boolean;
}
