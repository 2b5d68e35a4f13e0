import { setImmediate as turn } from 'node:timers/promises';
import { ClaimRoom } from './claim-room';

const FULL = 4_001;

describe('the room for claims', () => {
  let due: number;
  let entered: string[];
  let room: ClaimRoom;

  beforeEach(() => {
    due = 0;
    entered = [];
    room = new ClaimRoom(() => due);
  });

  async function enter(name: string, messages: number): Promise<void> {
    void room.enter(messages).then(() => entered.push(name));
    await turn();
  }

  async function look(): Promise<void> {
    room.look();
    await turn();
  }

  it('lets a claim in at once while little is due', async () => {
    await enter('one', 1_000);
    expect(entered).toEqual(['one']);
  });

  it('holds claims back while much is due, and lets them in in their order once it is not', async () => {
    due = FULL;
    await enter('one', 10);
    await enter('two', 10);
    await look();
    expect(entered).toEqual([]);
    due = 0;
    await look();
    expect(entered).toEqual(['one', 'two']);
  });

  it('counts what is being claimed until the claim has left', async () => {
    await enter('one', FULL);
    await enter('two', FULL);
    await enter('three', 10);
    expect(entered).toEqual(['one']);
    room.leave(FULL);
    await turn();
    expect(entered).toEqual(['one', 'two']);
    room.leave(FULL);
    await turn();
    expect(entered).toEqual(['one', 'two', 'three']);
  });

  it('counts a claim that could not wait', async () => {
    room.force(FULL);
    await enter('one', 10);
    expect(entered).toEqual([]);
    room.leave(FULL);
    await turn();
    expect(entered).toEqual(['one']);
  });

  it('nobody overtakes who waits', async () => {
    due = FULL;
    await enter('one', 10);
    due = 0;
    await enter('two', 10);
    expect(entered).toEqual([]);
    await look();
    expect(entered).toEqual(['one', 'two']);
  });

  it('keeps nobody waiting when the process goes down', async () => {
    due = FULL;
    await enter('one', 10);
    room.open();
    await turn();
    await enter('two', 10);
    expect(entered).toEqual(['one', 'two']);
  });
});
