import { Injectable } from '@nestjs/common';
import { DiscoveryService, MetadataScanner, Reflector } from '@nestjs/core';

export interface MarkedMethod<Mark> {
  readonly mark: Mark;
  readonly call: (...args: readonly unknown[]) => Promise<unknown>;
}

/** Finds the methods of this process's providers that carry a mark. */
@Injectable()
export class MarkedMethods {
  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
    private readonly reflector: Reflector,
  ) {}

  find<Mark>(key: symbol): MarkedMethod<Mark>[] {
    return this.discovery.getProviders().flatMap((wrapper) => {
      const instance: unknown = wrapper.isDependencyTreeStatic() ? wrapper.instance : undefined;
      if (typeof instance !== 'object' || instance === null) return [];
      const prototype = Object.getPrototypeOf(instance) as Record<string, unknown> | null;
      if (prototype === null) return [];
      return this.scanner.getAllMethodNames(prototype).flatMap((name) => {
        const method = prototype[name];
        if (typeof method !== 'function') return [];
        const mark = this.reflector.get<Mark | undefined>(key as never, method);
        if (mark === undefined) return [];
        const call = (...args: readonly unknown[]) => Promise.resolve(method.apply(instance, args) as unknown);
        return [{ mark, call }];
      });
    });
  }
}
