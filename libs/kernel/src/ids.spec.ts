import fc from 'fast-check';
import { fromPublicId, isUuid, newId, newIdAt, publicKindOf, toPublicId, type MessageId } from './index';

describe('public ids', () => {
  it('give back the uuid they were made from', () => {
    fc.assert(
      fc.property(fc.uuid(), (uuid) => {
        expect(fromPublicId('message', toPublicId('message', uuid))).toBe(uuid);
      }),
    );
  });

  it('are the number of the uuid in base 32', () => {
    const digits = '0123456789abcdefghjkmnpqrstvwxyz';
    fc.assert(
      fc.property(fc.uuid(), (uuid) => {
        const text = toPublicId('message', uuid).slice('msg_'.length);
        const places = Array.from(text, (character) => BigInt(digits.indexOf(character)));
        const number = places.reduce((sum, place) => sum * 32n + place, 0n);
        expect(number).toBe(BigInt(`0x${uuid.replaceAll('-', '')}`));
        expect(text).toHaveLength(26);
      }),
    );
  });

  it('of one kind never name another kind', () => {
    const id = toPublicId('tenant', newId<MessageId>());
    expect(fromPublicId('message', id)).toBeUndefined();
    expect(publicKindOf(id)).toBe('tenant');
  });

  it.each([
    '',
    'msg_',
    'msg_01k9',
    `msg_${'u'.repeat(26)}`,
    `msg_${'z'.repeat(26)}`,
    `msg_80${'0'.repeat(24)}`,
    `msg_00000000i${'0'.repeat(17)}`,
    `MSG_${'0'.repeat(26)}`,
    "msg_' OR 1=1 --",
  ])('find nothing for %j', (text) => {
    expect(fromPublicId('message', text)).toBeUndefined();
  });

  it('sort as they were created', () => {
    const ids = Array.from({ length: 100 }, () => newId<MessageId>());
    expect([...ids].sort()).toEqual(ids);
  });
});

it('is an id of the time that was told, in the order of places', () => {
  const ids = [0, 1, 999].flatMap((place) => [newIdAt(1_000.5, place), newIdAt(1_001, place)]);
  expect(ids.every(isUuid)).toBe(true);
  const time = (id: string) => Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16);
  expect([...ids].sort().map(time)).toEqual([1_000, 1_000, 1_000, 1_001, 1_001, 1_001]);
  const ofOneTime = ids.filter((id) => time(id) === 1_000);
  expect([...ofOneTime].sort()).toEqual(ofOneTime);
});
