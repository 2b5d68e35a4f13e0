import path from 'node:path';

/**
 * A path as it was typed: npm runs programs in the folder of the project, wherever whoever typed it is, and says where that was
 * (`npm --prefix`, or a subfolder).
 */
export function typedPath(
  text: string,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): string {
  const { INIT_CWD: typedIn, npm_package_json: project } = environment;
  const byNpm = typedIn !== undefined && project !== undefined && path.dirname(project) === process.cwd();
  return path.resolve(byNpm ? typedIn : '', text);
}
