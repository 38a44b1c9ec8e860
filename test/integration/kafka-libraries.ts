import {execFile} from 'node:child_process';
import {mkdir, rename, rm, stat} from 'node:fs/promises';
import {join} from 'node:path';
import {promisify} from 'node:util';
import {cacheFolder} from '../../model/engine/cache-folder.ts';

/**
 * Folder with the jars of a Kafka broker; fetched from Maven Central the first time (46 jars, 44 MB).
 *
 * @throws If `mvn` is missing or cannot fetch them.
 */
export async function kafkaLibraries(version: string): Promise<string> {
  const folder = join(cacheFolder(), 'kafka', version);
  if (await stat(folder).catch(() => undefined)) return folder;
  const unfinished = `${folder}.${process.pid}`;
  await mkdir(unfinished, {recursive: true});
  const pom = join(process.cwd(), 'test/integration/kafka-pom.xml');
  const goal = ['dependency:copy-dependencies', `-DoutputDirectory=${unfinished}`];
  await promisify(execFile)('mvn', ['-q', '-B', '-f', pom, `-Dkafka.version=${version}`, ...goal]).catch(cause => {
    throw new Error(
      `Cannot run Kafka in tests as Maven must fetch it: install maven and a JDK 17, or set KAFKA_BROKERS to brokers of your own`,
      {cause},
    );
  });
  // Another process may have been faster.
  await rename(unfinished, folder).catch(() => rm(unfinished, {recursive: true}));
  return folder;
}
