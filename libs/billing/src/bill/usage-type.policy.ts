import { z } from 'zod';
import data from '../../data/usage-types.json';

/** What AWS's bill calls a thing we know, and how its unit relates to ours. */
export interface KnownUsage {
  readonly sku: string;
  /** How many of our units make one of the bill's: 3,600,000 IP-milliseconds to the IP-hour. */
  readonly unitsPer: bigint;
}

const file = z.strictObject({
  about: z.string(),
  products: z.record(z.string(), z.array(z.string())),
  usageTypes: z.array(
    z.strictObject({
      sku: z.string().min(1),
      names: z.array(z.string().min(1)).min(1),
      unitsPer: z.string().regex(/^[1-9]\d{0,17}$/),
      unverified: z.boolean().optional(),
    }),
  ),
  regionPrefixes: z.record(z.string(), z.string()),
});

const { products, usageTypes, regionPrefixes } = file.parse(data);
const byName = new Map<string, KnownUsage>(
  usageTypes.flatMap(({ sku, names, unitsPer }) =>
    names.map((name) => [name, { sku, unitsPer: BigInt(unitsPer) }] as const),
  ),
);
const nameOfSku = new Map(usageTypes.map(({ sku, names }) => [sku, names[0] ?? sku]));

const serviceOf = new Map(Object.entries(products).flatMap(([service, names]) => names.map((name) => [name, service])));

/** What a usage type of a product means, whatever region it is prefixed with; undefined = unknown. */
export function knownUsage(product: string, usageType: string): KnownUsage | undefined {
  const known = byName.get(usageType) ?? byName.get(withoutPrefix(usageType).name);
  const service = serviceOf.get(product);
  // Other products have usage types of the same names: S3's requests are not SNS's.
  return service !== undefined && known?.sku.startsWith(`${service}.`) ? known : undefined;
}

/** The name our own lines of a sku are shown under; the sku itself when AWS has no name for it yet. */
export function usageTypeOf(sku: string): string {
  return nameOfSku.get(sku) ?? sku;
}

/** The region that a usage type's prefix says, for lines that name no region; undefined when it says none. */
export function regionOfUsageType(usageType: string): string | undefined {
  if (byName.has(usageType)) return undefined;
  const { prefix } = withoutPrefix(usageType);
  return prefix === undefined ? undefined : regionPrefixes[prefix];
}

/** `DIP-Hours` has no prefix although it looks like one: only prefixes of regions count. */
function withoutPrefix(usageType: string): { prefix?: string; name: string } {
  const dash = usageType.indexOf('-');
  const prefix = dash > 0 ? usageType.slice(0, dash) : '';
  return dash > 0 && Object.hasOwn(regionPrefixes, prefix)
    ? { prefix, name: usageType.slice(dash + 1) }
    : { name: usageType };
}
