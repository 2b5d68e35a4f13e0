/** Where Redis is: one server, or nodes of a cluster to begin with. */
export interface RedisAddress {
  readonly cluster: boolean;
  readonly nodes: readonly { readonly host: string; readonly port: number }[];
  readonly username?: string;
  readonly password?: string;
  /** Logical database; a cluster has only number 0. */
  readonly database: number;
  readonly tls: boolean;
}

const SHAPE = /^redis(s?)(\+cluster)?:\/\/(?:([^@/]*)@)?([^/?#]+)(?:\/(\d*))?(?:\?cluster=(true|false))?$/;
const HOST = /^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(?::(\d{1,5}))?$/;

/**
 * Reads `redis://[[user]:password@]host[:6379][/database]` for one server. Several hosts with commas between them, the scheme
 * `redis+cluster://`, or `?cluster=true` mean a Redis Cluster; one node of it is enough to find the others. `rediss` is TLS.
 * @returns undefined when the text is not that
 */
export function parseRedisUrl(text: string): RedisAddress | undefined {
  const match = SHAPE.exec(text);
  if (!match) return undefined;
  const [, secure, scheme, login, hosts = '', database = '', flag] = match;
  const nodes = hosts.split(',').map((host) => HOST.exec(host));
  if (nodes.some((node) => node === null || Number(node[2] ?? 6379) > 65_535)) return undefined;
  const cluster = scheme !== undefined || flag === 'true' || nodes.length > 1;
  if (cluster && (flag === 'false' || Number(database) > 0)) return undefined;
  const credentials = readLogin(login ?? '');
  if (!credentials) return undefined;
  return {
    cluster,
    nodes: nodes.map((node) => ({ host: (node?.[1] ?? '').replaceAll(/[[\]]/g, ''), port: Number(node?.[2] ?? 6379) })),
    ...credentials,
    database: Number(database),
    tls: secure === 's',
  };
}

/** The hosts of an address, for people: nothing secret. */
export function redisHosts(text: string): string {
  const address = parseRedisUrl(text);
  return address
    ? address.nodes.map(({ host, port }) => `${host}:${String(port)}`).join(', ')
    : 'an unreadable address';
}

function readLogin(login: string): { username?: string; password?: string } | undefined {
  const [username = '', ...rest] = login.split(':');
  const password = rest.join(':');
  try {
    return {
      ...(username === '' ? {} : { username: decodeURIComponent(username) }),
      ...(password === '' ? {} : { password: decodeURIComponent(password) }),
    };
  } catch {
    return undefined;
  }
}
