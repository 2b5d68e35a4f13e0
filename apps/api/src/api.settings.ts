/** What the edge is told at start; a class so that Nest can inject it. Numbers stated in descriptions are these numbers. */
export class ApiSettings {
  /** Where clients reach this server; makes documentation links absolute. */
  readonly publicUrl: string | undefined;
  /** Cost points a key may hold, and how many come back each second. */
  readonly bucket: { readonly maximum: number; readonly restorePerSecond: number };
  /** Wrong keys that one address may present at once, and how many more each second. */
  readonly strangers: { readonly maximum: number; readonly restorePerSecond: number };
  /** How long a client may take, in milliseconds; Node's own limits are 60 s and 300 s. */
  readonly timeouts: { readonly headersMs: number; readonly requestMs: number };

  constructor(
    options: {
      publicUrl?: string | undefined;
      bucket?: ApiSettings['bucket'];
      strangers?: ApiSettings['strangers'];
      timeouts?: ApiSettings['timeouts'];
    } = {},
  ) {
    this.publicUrl = options.publicUrl?.replace(/\/+$/, '');
    this.bucket = options.bucket ?? { maximum: 20_000, restorePerSecond: 2_000 };
    this.strangers = options.strangers ?? { maximum: 300, restorePerSecond: 5 };
    this.timeouts = options.timeouts ?? { headersMs: 10_000, requestMs: 30_000 };
  }

  invoiceUrl(file: string): string {
    return `${this.publicUrl ?? ''}/invoices/${file}`;
  }

  docsUrl(code: string): string {
    return `${this.publicUrl ?? ''}/docs/errors/${code}`;
  }
}

export const BODY_LIMIT = 256 * 1024;
/** For keys with the scope `send`: a batch carries bodies and attachments. */
export const SEND_BODY_LIMIT = 20 * 1024 * 1024;

export const QUERY_LIMITS = {
  tokens: 1_500,
  recursiveSelections: 2_000,
  aliases: 30,
  rootFields: 20,
  mutations: 5,
  directives: 50,
  depth: 12,
  /** The standard introspection query is deeper than any sensible query; its width is bounded by graphql's own rule. */
  introspectionDepth: 20,
  cost: 10_000,
  jsonDepth: 20,
  jsonNodes: 200_000,
} as const;
