/** What SES says of a dedicated IP (aws-facts 1.2): -1 and NOT_APPLICABLE for managed ones, which warm up by themselves. */
export interface WarmingIp {
  readonly warmupStatus: string;
  /** 0 to 100, or -1. */
  readonly warmupPercentage: number;
}

/** What an IP carries once it is warm, e-mails a day: where the automatic warm-up of AWS ends (aws-facts 5). */
const WARM_IP_PER_DAY = 50_000;
/** An hour may carry this part of a day: mailbox providers judge a new IP by its bursts, too. */
const HOURS_OF_A_DAY = 8;

/**
 * The caps of a lane while its IPs warm up, in recipients; null = none. The percentage follows the time since AWS began, not
 * what was sent. As soon as one IP of the pool is warm, SES routes what is too much for the others through it.
 */
export function warmUpCaps(
  ips: readonly WarmingIp[],
  warmIpPerDay = WARM_IP_PER_DAY,
): { readonly dayCap: number | null; readonly hourCap: number | null } {
  const warming = ips.filter((ip) => ip.warmupStatus === 'IN_PROGRESS' && ip.warmupPercentage >= 0);
  if (warming.length === 0 || warming.length < ips.length) return { dayCap: null, hourCap: null };
  // AWS begins at 0 %; a first hundredth must be let through, or no IP would ever begin.
  const dayCap = warming.reduce(
    (sum, ip) => sum + Math.floor((warmIpPerDay * Math.min(100, Math.max(1, ip.warmupPercentage))) / 100),
    0,
  );
  return { dayCap, hourCap: Math.ceil(dayCap / HOURS_OF_A_DAY) };
}
