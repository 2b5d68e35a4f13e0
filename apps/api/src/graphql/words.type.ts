import {
  ERROR_CODES,
  IN_DOUBT_POLICIES,
  MODES,
  STREAMS,
  type ErrorCode,
  type InDoubtPolicy,
  type Mode,
  type Stream,
} from '@libs/kernel';
import { Field, ObjectType, registerEnumType } from '@nestjs/graphql';
import { DateTime, Url } from './scalars';

/** Enums of the kernel are unions of strings; GraphQL wants an object with the same keys and values. */
function enumOf<Name extends string>(names: readonly Name[]): Readonly<Record<Name, Name>> {
  return Object.fromEntries(names.map((name) => [name, name])) as Record<Name, Name>;
}

export const StreamEnum = enumOf<Stream>(STREAMS);
registerEnumType(StreamEnum, {
  name: 'Stream',
  description: 'Decides priority, IP pool and configuration set of a message.',
  valuesMap: {
    TRANSACTIONAL: { description: 'One person waits for it: receipts, sign-in links. Goes first.' },
    MARKETING: { description: 'Many people get it: newsletters, campaigns.' },
  },
});

export const InDoubtPolicyEnum = enumOf<InDoubtPolicy>(IN_DOUBT_POLICIES);
registerEnumType(InDoubtPolicyEnum, {
  name: 'InDoubtPolicy',
  description: 'What becomes of a message that was handed over and whose answer got lost.',
  valuesMap: {
    AT_LEAST_ONCE: { description: 'It is sent again when nothing shows that it went: rather twice than never.' },
    AT_MOST_ONCE: { description: 'It is never sent again: rather never than twice.' },
  },
});

export const ModeEnum = enumOf<Mode>(MODES);
registerEnumType(ModeEnum, {
  name: 'Mode',
  description: 'Whether mail leaves for the world. Decided by the key (`pf_live_`, `pf_test_`).',
  valuesMap: {
    LIVE: { description: 'Real mail.' },
    TEST: { description: 'The whole pipeline into the simulator, events included; never billed.' },
  },
});

const ErrorCodeEnum = enumOf<ErrorCode>(Object.keys(ERROR_CODES) as ErrorCode[]);
registerEnumType(ErrorCodeEnum, {
  name: 'ErrorCode',
  description: 'What went wrong. Each code has a page at /docs/errors/<CODE> with cause, fix and example.',
});

@ObjectType('UserError', {
  description: 'A failure the caller can act on. Everything that is wrong is listed at once.',
})
export class UserError {
  @Field(() => ErrorCodeEnum, { description: 'The kind of failure; stable, made for programs.' })
  code!: ErrorCode;

  @Field(() => String, { description: 'What is wrong and what was expected, made for people.' })
  message!: string;

  @Field(() => [String], {
    nullable: true,
    description:
      'Where, from `input` downward, for example ["input", "email", "to", "0", "email"]. Null when no field is at fault.',
  })
  path!: string[] | null;

  @Field(() => Url, { description: 'The page that explains this code and its fix.' })
  docsUrl!: string;

  @Field(() => DateTime, {
    nullable: true,
    description: 'When the same call can succeed. Null when a retry cannot help.',
  })
  retryAt!: Date | null;
}

@ObjectType('PageInfo', { description: 'Where this page stands in its list.' })
export class PageInfo {
  @Field(() => Boolean, { description: 'More rows follow `endCursor`.' })
  hasNextPage!: boolean;

  @Field(() => Boolean, { description: 'More rows stand before `startCursor`.' })
  hasPreviousPage!: boolean;

  @Field(() => String, { nullable: true, description: 'Cursor of the first row. Null on an empty page.' })
  startCursor!: string | null;

  @Field(() => String, { nullable: true, description: 'Cursor of the last row. Null on an empty page.' })
  endCursor!: string | null;
}

export { enumOf };
