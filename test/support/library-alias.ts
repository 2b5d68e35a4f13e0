import Module from 'node:module';
import path from 'node:path';

/**
 * Lets a plain `require` find '@libs/<name>'. Test files have this from jest's moduleNameMapper, which jest does not apply
 * to its global setup, where the very same code boots the servers.
 */
interface Resolver {
  _resolveFilename: (request: string, ...rest: unknown[]) => string;
}

const resolver = Module as unknown as Resolver;
const original = resolver._resolveFilename.bind(resolver);
const libraries = path.resolve(__dirname, '../../libs');

resolver._resolveFilename = (request, ...rest) => {
  const match = /^@libs\/([^/]+)(\/testing)?$/.exec(request);
  const [, name, testing] = match ?? [];
  return original(
    name === undefined ? request : path.join(libraries, name, 'src', testing === undefined ? '' : 'testing'),
    ...rest,
  );
};
