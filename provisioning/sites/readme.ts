import type { Bundle } from '#contracts/enrolment.ts';

/** What the engineer finds on the stick, in plain words, with the line ends that every editor shows right. */
export function bundleReadme(bundle: Bundle): string {
  const { site, terminal, token } = bundle;
  const lines = [
    `CHECKPOST: enrolment of terminal ${terminal}`,
    '',
    `Site:         ${site.id}, ${site.name}`,
    `Terminal:     ${terminal}`,
    `Use it until: ${token.expiresAt.slice(0, 16).replace('T', ' ')} UTC`,
    '',
    'What you need',
    '  - this stick',
    '  - the enrolment code: five groups of four letters and digits. It is NOT on this stick.',
    '    The bureau tells it to you by telephone or in person. Do not write it on the stick.',
    '',
    'What to do',
    '  1. Put the stick into the terminal and run there:',
    '',
    '       checkpost enrol FOLDER-OF-THIS-FILE --state /var/lib/checkpost',
    '',
    '     It asks for the code, makes the keys of the terminal and writes the file request.json here.',
    '  2. Bring the stick to the bureau (or send request.json: it holds no secret). There they run:',
    '',
    '       checkpost authority sign FOLDER-OF-THIS-FILE --dir AUTHORITY',
    '',
    '     which writes answer.json (it holds nothing that another machine can use).',
    '  3. Put the stick into the terminal again and run the command of step 1 again. No code is asked for now.',
    '     When it says "enrolled", the terminal is ready.',
    '',
    'If something goes wrong',
    '  - Every step can be run again: it goes on where it stopped.',
    '  - The message says what to do. A new bundle makes this one void.',
    '  - If this stick is lost before step 3, tell the bureau. It is of no use without the code.',
    '',
  ];
  return lines.join('\r\n');
}
