import { v7 } from 'uuid';
import { SystemClock } from './clock';

type Branded<Name extends string> = string & { readonly __id: Name };

export type TenantId = Branded<'tenant'>;
export type PlanId = Branded<'plan'>;
export type ApiKeyId = Branded<'apiKey'>;
export type OperatorId = Branded<'operator'>;
export type AwsAccountId = Branded<'awsAccount'>;
export type SendingAccountId = Branded<'sendingAccount'>;
export type LaneId = Branded<'lane'>;
export type PlacementId = Branded<'placement'>;
export type TenantMoveId = Branded<'tenantMove'>;
export type DomainId = Branded<'domain'>;
export type MessageId = Branded<'message'>;
export type AttemptId = Branded<'attempt'>;
export type BatchId = Branded<'batch'>;
export type EventId = Branded<'event'>;
export type SuppressionId = Branded<'suppression'>;
export type InvoiceId = Branded<'invoice'>;

type AnyId =
  | TenantId
  | PlanId
  | ApiKeyId
  | OperatorId
  | AwsAccountId
  | SendingAccountId
  | LaneId
  | PlacementId
  | TenantMoveId
  | DomainId
  | MessageId
  | AttemptId
  | BatchId
  | EventId
  | SuppressionId
  | InvoiceId;

const host = new SystemClock();
/** So far ids stay ahead of a clock that was set back, to be in order still. */
const IN_ORDER_MS = 60_000;
let latestMs = 0;
let placeOfNext = 0;

/**
 * A new uuid v7: ordered by creation time, so that indexes grow at one end and the day is part of the id. By themselves the
 * ids of a process never go back; after a clock that was hours ahead, those of hours would be of a time they were not made at.
 */
export function newId<Id extends AnyId>(): Id {
  const now = host.nowMs();
  latestMs = Math.max(latestMs, now);
  if (latestMs - now <= IN_ORDER_MS) return v7() as Id;
  placeOfNext += 1;
  return newIdAt(now, placeOfNext);
}

/** The same for a time that another clock told, real milliseconds; `place` orders those of one time. */
export function newIdAt<Id extends AnyId>(realMs: number, place: number): Id {
  return v7({ msecs: Math.floor(realMs), seq: place }) as Id;
}

/** Milliseconds since the epoch at which a uuid v7 was made. */
export function timeOfId(id: string): number {
  return Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
}

const MAX_MS = 2 ** 48 - 1;

/** What no id of that time or later is below, and none before it above. */
export function firstIdAt(realMs: number): string {
  const hex = Math.min(Math.max(0, Math.floor(realMs)), MAX_MS)
    .toString(16)
    .padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-0000-0000-000000000000`;
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Whether that is a uuid as PostgreSQL writes it. Of anything else a column of ids would make an error, not an empty answer. */
export function isUuid(text: string): boolean {
  return UUID.test(text);
}

/** What stands before an id wherever a person or a program outside sees it. */
const PREFIX = {
  tenant: 'ten',
  plan: 'plan',
  apiKey: 'key',
  operator: 'opr',
  awsAccount: 'acc',
  sendingAccount: 'sac',
  lane: 'lane',
  placement: 'plc',
  tenantMove: 'mov',
  domain: 'dom',
  message: 'msg',
  event: 'evt',
  suppression: 'sup',
  invoice: 'inv',
  request: 'req',
} as const;

export type PublicKind = keyof typeof PREFIX;

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'; // Crockford base 32: no i, l, o, u to misread
// 128 bits from the left: 8 bits as two characters, then six times 20 bits as four, which is five digits of hex. Numbers of
// that size are plain ones; a bigint for the whole costs ten times as much, and a batch has a thousand ids.
const HEAD = { hex: 2, characters: 2 };
const GROUP = { hex: 5, characters: 4 };
const HEX_LENGTH = 32;
const ID_LENGTH = 26;

/** `msg_` and 26 characters of Crockford base 32 for the uuid of a message. */
export function toPublicId(kind: PublicKind, uuid: string): string {
  const hex = uuid.replaceAll('-', '');
  let text = `${PREFIX[kind]}_${base32(hex.slice(0, HEAD.hex), HEAD.characters)}`;
  for (let at = HEAD.hex; at < HEX_LENGTH; at += GROUP.hex) {
    text += base32(hex.slice(at, at + GROUP.hex), GROUP.characters);
  }
  return text;
}

function base32(hex: string, characters: number): string {
  let value = Number.parseInt(hex, 16);
  let text = '';
  for (let i = 0; i < characters; i += 1) {
    text = (ALPHABET[value & 31] ?? '') + text;
    value >>= 5;
  }
  return text;
}

/** The uuid behind a public id of that kind, or undefined for anything else: a foreign or broken id finds nothing. */
export function fromPublicId(kind: PublicKind, text: string): string | undefined {
  const prefix = `${PREFIX[kind]}_`;
  if (!text.startsWith(prefix) || text.length !== prefix.length + ID_LENGTH) return undefined;
  let hex = hexOf(text.slice(prefix.length, prefix.length + HEAD.characters), HEAD.hex);
  for (let at = prefix.length + HEAD.characters; at < text.length; at += GROUP.characters) {
    hex += hexOf(text.slice(at, at + GROUP.characters), GROUP.hex);
  }
  // Longer or shorter: a character that is no digit, or a number beyond 128 bits.
  if (hex.length !== HEX_LENGTH) return undefined;
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** So many digits of hex; more when the number needs them, none when it is not one. */
function hexOf(text: string, digits: number): string {
  let value = 0;
  for (const character of text) {
    const digit = ALPHABET.indexOf(character);
    if (digit < 0) return '';
    value = value * 32 + digit;
  }
  return value.toString(16).padStart(digits, '0');
}

/** Which kind of thing a public id names, by its prefix. */
export function publicKindOf(text: string): PublicKind | undefined {
  const prefix = text.slice(0, text.indexOf('_'));
  return (Object.keys(PREFIX) as PublicKind[]).find((kind) => PREFIX[kind] === prefix);
}
