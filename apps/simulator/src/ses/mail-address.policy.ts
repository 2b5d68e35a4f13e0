import { badRequest } from '../wire/aws.errors';

export interface ParsedAddress {
  readonly address: string;
  readonly domain: string;
  readonly display: string;
}

const LOCAL = /^(?:[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+|"[^"\\\r\n]+")$/;
const DOMAIN = /^(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}$/i;

/** `Name <local@domain>` or `local@domain`; throws the BadRequestException of SES otherwise. */
export function parseAddress(text: string): ParsedAddress {
  if (/[\r\n\0]/.test(text)) throw badRequest('Local address contains control or whitespace');
  const match = /^(.*)<([^<>]*)>\s*$/s.exec(text);
  const address = (match?.[2] ?? text).trim();
  const display = (match?.[1] ?? '').trim().replace(/^"(.*)"$/, '$1');
  const at = address.lastIndexOf('@');
  const local = address.slice(0, Math.max(at, 0));
  const domain = address.slice(at + 1);
  if (address === '' || at < 0 || domain === '') throw badRequest("Missing final '@domain'");
  if (/[^\x20-\x7e]/.test(local)) throw badRequest('Local address contains non-ASCII characters');
  if (/\s/.test(local)) throw badRequest('Local address contains control or whitespace');
  if (!LOCAL.test(local) || local.length > 64) throw badRequest('Illegal address');
  if (!DOMAIN.test(domain)) throw badRequest('Domain contains illegal character');
  return { address, domain: domain.toLowerCase(), display };
}

/** A header's comma separated list, commas in quoted names respected. */
export function splitAddressList(header: string): string[] {
  return (header.match(/(?:"[^"]*"|[^,"])+/g) ?? []).map((one) => one.trim()).filter((one) => one !== '');
}

/** The address itself, its domain, then each parent domain: what may be verified for it. */
export function identityCandidates(address: ParsedAddress): string[] {
  const labels = address.domain.split('.');
  const domains = labels.slice(0, -1).map((_, i) => labels.slice(i).join('.'));
  return [address.address.toLowerCase(), ...domains];
}
