import { EngineClock } from '@libs/kernel';
import { Global, Module, type DynamicModule } from '@nestjs/common';

/** The engine's clock of a process under test, as its app would give it to every lib. */
@Global()
@Module({})
export class ClockModule {
  static of(clock: EngineClock): DynamicModule {
    return { module: ClockModule, providers: [{ provide: EngineClock, useValue: clock }], exports: [EngineClock] };
  }
}
