import { Module } from '@nestjs/common';
import { StreamHoldRepository } from './stream-hold.repository';
import { StreamHolds } from './stream-hold.service';

/** Apart from the rest, so that whoever decides about holds needs nothing else of sending. */
@Module({ providers: [StreamHoldRepository, StreamHolds], exports: [StreamHolds] })
export class StreamHoldModule {}
