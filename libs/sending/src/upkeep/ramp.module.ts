import { Module } from '@nestjs/common';
import { RampRepository } from './ramp.repository';
import { RampService } from './ramp.service';

/** What a tenant may send today: for the engine that feeds, and for the api that explains. */
@Module({ providers: [RampRepository, RampService], exports: [RampService] })
export class RampModule {}
