/** A failure the api named: the codes and texts of its errors, never a key. */
export class GraphqlRefused extends Error {
  constructor(
    operation: string,
    readonly codes: readonly string[],
    detail: string,
  ) {
    super(`${operation}: ${detail}`);
    this.name = 'GraphqlRefused';
  }
}

interface Answer {
  readonly data?: unknown;
  readonly errors?: readonly { readonly message: string; readonly extensions?: { readonly code?: string } }[];
}

interface UserError {
  readonly code: string;
  readonly message: string;
  readonly path?: readonly string[] | null;
}

/** As many times a request is repeated that the api turned away for its cost or because it was starting. */
const PATIENCE = 60;

/** One of the two endpoints with one key: what any program of a customer or operator would write. */
export class GraphqlClient {
  constructor(
    private readonly url: string,
    private readonly key: string,
  ) {}

  /** @throws GraphqlRefused when the api answers with errors */
  async request<Data>(operation: string, query: string, variables: object = {}): Promise<Data> {
    for (let tries = 0; ; tries += 1) {
      const response = await fetch(this.url, {
        method: 'POST',
        headers: { authorization: `Bearer ${this.key}`, 'content-type': 'application/json' },
        body: JSON.stringify({ query, variables }),
      });
      if ((response.status === 429 || response.status === 503) && tries < PATIENCE) {
        const seconds = Number(response.headers.get('retry-after') ?? '1');
        await response.arrayBuffer();
        await pause(Math.min(Math.max(seconds, 0.1), 10) * 1_000);
        continue;
      }
      const answer = (await response.json()) as Answer;
      if (answer.errors !== undefined && answer.errors.length > 0) {
        const codes = answer.errors.map((error) => error.extensions?.code ?? 'UNKNOWN');
        throw new GraphqlRefused(operation, codes, answer.errors.map((error) => error.message).join('; '));
      }
      return answer.data as Data;
    }
  }

  /**
   * A mutation with one input, and the payload it answers.
   * @throws GraphqlRefused for userErrors too
   */
  async mutate<Payload extends object>(name: string, input: object, selection: string): Promise<Payload> {
    const type = `${name.charAt(0).toUpperCase()}${name.slice(1)}Input`;
    const query = `mutation ($input: ${type}!) { ${name}(input: $input) { ${selection} userErrors { code message path } } }`;
    const data = await this.request<Record<string, Payload & { userErrors: UserError[] }>>(name, query, { input });
    const payload = data[name];
    if (payload === undefined) throw new GraphqlRefused(name, [], 'answered nothing');
    if (payload.userErrors.length > 0) {
      const detail = payload.userErrors.map(
        (error) => `${error.code} at ${error.path?.join('.') ?? 'input'}: ${error.message}`,
      );
      throw new GraphqlRefused(
        name,
        payload.userErrors.map((error) => error.code),
        detail.join('; '),
      );
    }
    return payload;
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
