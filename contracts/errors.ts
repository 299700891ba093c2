/**
 * The one table of error codes. Each entry says what happened, what it means and what to do; `docs/errors.md` is
 * generated from it and a test keeps the two equal. A code never changes its meaning and is never reused.
 */
export const errors = {
  // Settings and start
  SETTINGS_UNREADABLE: {
    what: 'The configuration file cannot be read.',
    meaning: 'The process does not start; nothing was changed.',
    remedy: 'Check the path given with --config and that the user of the service may read it.',
  },
  SETTINGS_NOT_JSON: {
    what: 'The configuration file is not JSON.',
    meaning: 'The process does not start; nothing was changed.',
    remedy: 'Correct the file at the line and column named; a trailing comma is the usual cause.',
  },
  SETTINGS_INVALID: {
    what: 'A setting has a value that is not allowed, is missing or is unknown.',
    meaning: 'The process does not start; nothing was changed. All such settings are listed at once.',
    remedy: 'Correct each setting listed; docs/settings.md has the range, unit and default of every one.',
  },
  PORT_IN_USE: {
    what: 'The port is taken by another process.',
    meaning: 'The server cannot listen; the process does not start.',
    remedy: 'Stop the other process or choose another port; `ss -ltnp` names who has it.',
  },
  ADDRESS_REFUSED: {
    what: 'The address cannot be listened on.',
    meaning: 'The server cannot listen; the process does not start.',
    remedy: 'Check the host setting: it must be an address of this machine.',
  },
  TOOL_MISSING: {
    what: 'A program that is needed is not installed.',
    meaning: 'The step that needs it was not done.',
    remedy: 'Install the package named; on Debian with `apt-get install`.',
  },
  TOOL_FAILED: {
    what: 'A program that was called did not do its work.',
    meaning: 'The step that needs it was not done.',
    remedy: 'See what the program says; it is named in the message.',
  },
  USAGE: {
    what: 'The command was called with arguments that it does not understand.',
    meaning: 'Nothing was done.',
    remedy: 'Call it with --help.',
  },
  STOPPED: {
    what: 'The command was stopped before its end.',
    meaning: 'The step was not done; what was there before stays.',
    remedy: 'Run the command again.',
  },
  INTERNAL: {
    what: 'The program met a state that it was not written for.',
    meaning: 'This is a defect. What was recorded before is safe; the service restarts.',
    remedy: 'Report it with the log lines around it.',
  },

  // Keys, certificates, signatures
  CREDENTIAL_UNREADABLE: {
    what: 'A certificate or key file cannot be read.',
    meaning: 'The part that needs it does not start.',
    remedy: 'Check the path and its permissions, or enrol the terminal again.',
  },
  CERTIFICATE_EXPIRED: {
    what: 'A certificate has expired.',
    meaning: 'The other side will refuse the connection, or this side refused it.',
    remedy: 'Check the clock of the machine first; then renew the certificate with `checkpost authority`.',
  },
  CERTIFICATE_NOT_YET_VALID: {
    what: 'A certificate is not valid yet.',
    meaning: 'The clock of this machine is probably wrong.',
    remedy: 'Check the clock; a terminal without a battery-backed clock sets it from the centre.',
  },
  CERTIFICATE_REFUSED: {
    what: 'The certificate of the other side was refused.',
    meaning: 'It was not issued by the authority trusted here, or for another name; nothing was sent.',
    remedy:
      'Check that both sides were provisioned by the same authority and that the address matches the certificate.',
  },
  ENVELOPE_INVALID: {
    what: 'A signed file is damaged or is not a signed file.',
    meaning: 'It was refused and nothing was changed.',
    remedy: 'Copy it again from its source.',
  },
  SIGNATURE_REFUSED: {
    what: 'A signature does not match, or its key is not trusted for this use.',
    meaning: 'The content was refused and nothing was changed.',
    remedy:
      'Get the file from the bureau again; if it happens twice, treat it as an attack and tell the bureau.',
  },
  SEAL_BROKEN: {
    what: 'A sealed value cannot be opened with the key of this terminal.',
    meaning: 'It was changed, or it belongs to another terminal.',
    remedy: 'Keep the file and tell the bureau.',
  },
  PASSPHRASE_WRONG: {
    what: 'The passphrase does not open the key.',
    meaning: 'Nothing was signed.',
    remedy: 'Try again with the right passphrase file.',
  },

  // Readers
  READER_ABSENT: {
    what: 'The reader is not plugged in.',
    meaning: 'Documents cannot be read from it; it is tried again until it is back.',
    remedy: 'Plug the reader in; check its cable and the path in the settings.',
  },
  READER_REFUSED: {
    what: 'The reader is there but cannot be opened.',
    meaning: 'Another program holds it, or the service may not use it.',
    remedy:
      'Close the other program (for `checkpost readers probe` stop the agent first); check that the udev rules for readers are installed.',
  },
  READER_LOST: {
    what: 'The reader was unplugged or its link broke.',
    meaning: 'A frame that was being read is dropped; the reader is opened again when it is back.',
    remedy: 'Plug the reader in again and swipe once more.',
  },
  FRAME_TOO_LONG: {
    what: 'The reader sent more bytes without an end of line than any document has.',
    meaning: 'Its beginning is shown as unreadable; the rest is passed over until the line is silent.',
    remedy: 'Check the baud rate and the profile of the reader.',
  },
  FRAME_NOISE: {
    what: 'The reader sent bytes that are not text.',
    meaning:
      'No document can be read from them; a read of them is shown as unreadable. A wrong baud rate looks like this.',
    remedy: 'Check the baud rate and the wiring of the reader.',
  },
  FRAME_DAMAGED: {
    what: 'The block check of a frame does not hold.',
    meaning: 'It was damaged between the reader and the terminal; it is shown as unreadable, never searched.',
    remedy: 'Swipe again. If it happens often, check the cable and the profile of the reader.',
  },
  READER_SILENT: {
    what: 'The reader does not answer.',
    meaning: 'It is plugged in and opened, but says nothing to what it is asked; it is asked again.',
    remedy:
      'Check its power and its profile; `checkpost readers probe` finds the speed. Crossed wires look the same.',
  },
  READER_AMBIGUOUS: {
    what: 'Several devices fit the reader of the settings, and none of them better than the others.',
    meaning: 'None of them is opened, so that no reader is taken for another.',
    remedy: 'Name it by its port as `checkpost readers` prints it.',
  },
  PROFILE_UNKNOWN: {
    what: 'There is no reader profile of this name.',
    meaning: 'Nothing was started.',
    remedy: 'See `checkpost readers profiles` for those that there are, or add one under `profiles`.',
  },

  // Store and record
  STORE_CORRUPT: {
    what: 'The database of the terminal is damaged.',
    meaning: 'It was set aside unchanged and a new one was begun; the centre is told.',
    remedy: 'Keep the file named for the bureau: what it still owed may be recovered from it.',
  },
  STORE_LOCKED: {
    what: 'Another process holds the database.',
    meaning: 'Two agents on one state folder would damage the record; this one does not start.',
    remedy: 'Stop the other process first.',
  },
  STORE_FULL: {
    what: 'The disk is full.',
    meaning: 'Verdicts that cannot be recorded are not shown as `no-record`.',
    remedy: 'Free space on the state partition.',
  },
  STORE_FAILED: {
    what: 'The database could not be read or written.',
    meaning: 'What was being recorded is not recorded; a verdict of `no-record` becomes `unresolved`.',
    remedy: 'Check the disk; the condition is shown at the centre too.',
  },
  STORE_UNREACHABLE: {
    what: 'The database server cannot be reached.',
    meaning: 'Nothing was changed. What terminals owe stays with them until the server is back.',
    remedy: 'Start PostgreSQL, or correct the address and the account in the configuration of the centre.',
  },
  STORE_NEWER: {
    what: 'The database was written by a newer release.',
    meaning: 'This release does not open it, so that nothing in it is lost.',
    remedy: 'Install the newer release again.',
  },
  STORE_NOT_EMPTY: {
    what: 'The database holds something already.',
    meaning: 'Nothing was changed: a restore or a migration gives up what stands there.',
    remedy: 'Make a backup of it, then say --replace; give PostgreSQL a database of its own for the centre.',
  },
  BACKUP_INVALID: {
    what: 'The file is damaged, is cut off or is not a backup of a centre.',
    meaning: 'Nothing was changed: half a backup is not restored.',
    remedy: 'Take another copy of this backup, or the one before it.',
  },
  BACKUP_NEWER: {
    what: 'The backup was written by a newer release.',
    meaning: 'Nothing was changed: what this release does not know would be lost.',
    remedy: 'Install the release that the backup was made with, or a later one.',
  },
  AUDIT_BROKEN: {
    what: 'The audit chain does not verify.',
    meaning: 'An entry was altered, removed, added or reordered at the place named.',
    remedy: 'Keep the database as it is and tell the bureau.',
  },

  // Editions and collections
  EDITION_ABSENT: {
    what: 'There is no edition of the collection on this terminal.',
    meaning: 'While the centre is out of reach, documents are `unresolved`.',
    remedy: 'Bring an edition by the link or on a stick.',
  },
  EDITION_DAMAGED: {
    what: 'A file of an edition is damaged, or is not the one that was signed.',
    meaning:
      'What was to be taken is refused and the edition in use stays; where it is the one in use, documents of the damaged part are `unresolved` and it is fetched again.',
    remedy: 'If it happens again, check the disk; at the publisher, publish again with --base.',
  },
  EDITION_FOREIGN: {
    what: 'The edition was made with another key than this terminal holds.',
    meaning: 'It was refused; the one before stays in use.',
    remedy:
      'Where the bureau has a new fingerprint key, have it handed out again (`checkpost authority rotate-fingerprint --again`) or enrol the terminal again; otherwise get the edition of your bureau.',
  },
  EDITION_NEWER: {
    what: 'The edition has a newer format than this release knows.',
    meaning: 'It was refused; the one before stays in use.',
    remedy: 'Update this terminal first, or publish the edition with the release that the terminal runs.',
  },
  EDITION_OLDER: {
    what: 'The collection is older than the edition that was published last.',
    meaning: 'Nothing was published; terminals keep the edition that they have.',
    remedy: 'Publish from the newest collection; --date says how old it is where its file does not.',
  },
  EDITION_AHEAD: {
    what: 'The edition has a date that lies in the future.',
    meaning: 'Nobody knows how old it is; it was refused and the edition in use stays.',
    remedy: 'Set the clock of the publisher right and publish again with --date.',
  },
  EDITION_GAP: {
    what: 'The delta does not follow the edition that is here.',
    meaning: 'It was refused; the edition in use stays.',
    remedy:
      'The terminal fetches the deltas between by itself, or a whole base where they are no longer served.',
  },
  EDITION_UNREACHABLE: {
    what: 'The repository of editions cannot be reached, or the download broke off.',
    meaning: 'What was downloaded is kept and continued later; the edition in use stays and grows older.',
    remedy: 'Check the uplink and the centre; the terminal tries again by itself.',
  },
  TRUST_DAMAGED: {
    what: 'A file of the signed description of editions is damaged or is none.',
    meaning: 'It was refused; the edition in use stays.',
    remedy: 'Copy the repository again, or have the bureau publish again.',
  },
  TRUST_UNSIGNED: {
    what: 'The description of editions is not signed by enough of the keys that are trusted for it.',
    meaning: 'It was refused; the edition in use stays.',
    remedy: 'Get it from the bureau again; if it happens twice, treat it as an attack and tell the bureau.',
  },
  TRUST_OLDER: {
    what: 'The description of editions is older than one that was believed before.',
    meaning:
      'It was refused, since it may be an attempt to bring back an old edition; the edition in use stays.',
    remedy: 'Bring the newest one; if the repository was restored from a backup, publish again from it.',
  },
  TRUST_EXPIRED: {
    what: 'The description of editions has expired.',
    meaning: 'Nobody vouches that it is the newest; it was refused and the edition in use stays.',
    remedy: 'Have the bureau publish, or sign the timestamp again (`checkpost edition refresh`).',
  },
  TRUST_MIXED: {
    what: 'The parts of the description of editions do not belong together.',
    meaning: 'They were refused, since they may be put together from several; the edition in use stays.',
    remedy: 'Copy the repository again as a whole; if it happens twice, tell the bureau.',
  },
  REPOSITORY_ABSENT: {
    what: 'There is no repository of editions in this folder.',
    meaning: 'Nothing was done.',
    remedy: 'Check the path; `checkpost edition publish` makes a repository.',
  },
  REPOSITORY_BUSY: {
    what: 'Another command is changing the repository of editions.',
    meaning: 'Nothing was done.',
    remedy: 'Wait until it has ended, then run the command again.',
  },
  COLLECTION_INVALID: {
    what: 'The file of the collection is not a list of records.',
    meaning:
      'Nothing of it was taken, so that no record is missing unseen; what was loaded before stays in use and grows older.',
    remedy:
      'Correct the rows and columns listed at their source; docs/collection.md says what each may hold.',
  },
  COLLECTION_SHRUNK: {
    what: 'The collection has far fewer records than the edition that was published last.',
    meaning:
      'Nothing was published: a source that was cut off looks the same, and every record that is missing would pass.',
    remedy: 'Check the source. If the records are gone on purpose, say so with --fewer.',
  },
  REGISTRY_INVALID: {
    what: 'The registry of terminals is damaged or is not a registry.',
    meaning: 'It was refused; the one read before stays in use, if there was one.',
    remedy: 'Have the authority write it again: any `checkpost authority` command that changes it does.',
  },

  // Centre
  CENTRAL_UNREACHABLE: {
    what: 'The centre cannot be reached.',
    meaning: 'Documents are answered from the edition, with its age.',
    remedy: 'Check the uplink; the terminal tries again by itself.',
  },
  CENTRAL_TIMEOUT: {
    what: 'The centre did not answer in time.',
    meaning: 'The document was answered from the edition, with its age.',
    remedy: 'If it lasts, check the uplink and the centre.',
  },
  CENTRAL_REFUSED: {
    what: 'The centre refused the request.',
    meaning: 'The terminal is not known there, was revoked, or sent what the centre does not accept.',
    remedy: 'Check the registration of the terminal at the centre.',
  },
  CENTRAL_NONSENSE: {
    what: 'The centre answered something that is not an answer.',
    meaning: 'It was not believed; the document was answered from the edition.',
    remedy: 'Check that the release of the centre and the terminal fit together.',
  },
  REQUEST_INVALID: {
    what: 'The request does not fit its schema.',
    meaning: 'It was refused; nothing was changed.',
    remedy: 'Correct the fields named.',
  },
  TERMINAL_UNKNOWN: {
    what: 'The terminal is not in the registry, or was revoked.',
    meaning: 'The request was refused.',
    remedy: 'Register the terminal with `checkpost authority sign`.',
  },
  NOT_FOUND: {
    what: 'There is nothing at this address.',
    meaning: 'Nothing was changed.',
    remedy: 'Check the address.',
  },

  NOTIFICATION_FAILED: {
    what: 'A message about alerts could not be delivered.',
    meaning:
      'It is kept and tried again with growing pauses; the condition `notifications-failing` shows it.',
    remedy:
      'Check the mail server or the webhook of the channel named, its certificate and its password or secret.',
  },

  REQUEST_CROSS_SITE: {
    what: 'The request came from another page, or under a name that this server does not have.',
    meaning: 'It was refused; nothing was changed and nothing was told.',
    remedy: 'Open the page by its address or as localhost, and act on the page itself.',
  },
  PAGE_ABSENT: {
    what: 'The page is not built or cannot be read.',
    meaning: 'The server runs and its API answers, but there is nothing to look at.',
    remedy: 'Build it with `npm run build`, or install the release again.',
  },

  // Operators
  SIGN_IN_REQUIRED: {
    what: 'Nobody is signed in, or the session or token has ended.',
    meaning: 'Nothing was told and nothing was changed.',
    remedy: 'Sign in, or send a token that is in force.',
  },
  SIGN_IN_REFUSED: {
    what: 'Name and password do not fit together, or the account may not be used.',
    meaning: 'Nobody was signed in.',
    remedy: 'Try again; an administrator gives a new password with `checkpost account password`.',
  },
  ATTEMPTS_EXCEEDED: {
    what: 'There were too many attempts to sign in.',
    meaning: 'Further ones are refused for a while, right or wrong.',
    remedy: 'Wait for the time named; the log of the centre says where the attempts came from.',
  },
  ACCESS_REFUSED: {
    what: 'The role or the bureau of the account does not allow this.',
    meaning: 'Nothing was changed.',
    remedy: 'Ask an administrator to do it, or for the role.',
  },
  ACCOUNT_EXISTS: {
    what: 'There is an account of this name already.',
    meaning: 'Nothing was changed.',
    remedy: 'Choose another name, or change the account that is there.',
  },
  ACCOUNT_LAST: {
    what: 'It is the last administrator over all bureaus.',
    meaning: 'Nothing was changed: nobody could keep accounts any more.',
    remedy: 'Make another administrator first.',
  },
  OPENID_FAILED: {
    what: 'The OpenID provider did not sign anybody in.',
    meaning: 'Nobody was signed in; local accounts still can.',
    remedy: 'See the detail; check issuer, client and claims in the settings, and the clock of the centre.',
  },
  OPERATOR_AUDIT_BROKEN: {
    what: 'The audit of operators does not fit together: an entry was changed or taken away.',
    meaning: 'From the entry named on it proves nothing.',
    remedy: 'Compare with a backup; find out who has access to the database.',
  },

  AGENT_SILENT: {
    what: 'The agent of this terminal does not answer.',
    meaning: 'It does not run, or has just been started.',
    remedy: 'See `systemctl status checkpost-agent`, or start it with `checkpost agent`.',
  },
  SIMULATOR_SILENT: {
    what: 'No simulated fleet answers.',
    meaning: 'Nothing was done: none runs, or it was started with another control socket.',
    remedy: 'Start `checkpost simulate fleet` or the demo, or name its socket with --control.',
  },

  // Fleet
  BROKER_UNREACHABLE: {
    what: 'The message broker cannot be reached.',
    meaning: 'What is owed to the centre waits on disk and is sent when the broker is back.',
    remedy: 'Check the uplink and the broker; the terminal tries again by itself.',
  },
  BROKER_REFUSED: {
    what: 'The message broker refused the connection.',
    meaning: 'The certificate is not accepted there, or the terminal has no rights.',
    remedy: 'Check the registration of the terminal and the access rules of the broker.',
  },
  BROKER_BUSY: {
    what: 'The message broker has no room at present.',
    meaning: 'Too many connect or send at once; what is owed to the centre waits on disk.',
    remedy:
      'Nothing, when the whole fleet comes back; where it stays, see the limits and the load of the broker.',
  },
  IDENTITY_TAKEN_OVER: {
    what: 'Somebody else connected with the identity of this terminal.',
    meaning:
      'Two machines have its certificate and key, or two agents run on this one; each puts the other out.',
    remedy: 'Find the other one. Where it is a copy, revoke the terminal and enrol it anew.',
  },
  MESSAGE_INVALID: {
    what: 'A message does not fit its schema.',
    meaning: 'It was refused, counted and not acted upon.',
    remedy: 'Check that the release of the centre and the terminal fit together.',
  },

  // Provisioning
  AUTHORITY_EXISTS: {
    what: 'There is an authority in this folder already.',
    meaning: 'Nothing was changed: making a new one would cut off every terminal of the old one.',
    remedy: 'Choose another folder.',
  },
  AUTHORITY_ABSENT: {
    what: 'There is no authority in this folder.',
    meaning: 'Nothing was done.',
    remedy: 'Make one with `checkpost authority init`.',
  },
  SITE_EXISTS: {
    what: 'A site with this id exists.',
    meaning: 'Nothing was changed.',
    remedy: 'Choose another id, or show it with `checkpost site list`.',
  },
  SITE_UNKNOWN: {
    what: 'There is no site with this id.',
    meaning: 'Nothing was done.',
    remedy: 'See `checkpost site list`.',
  },
  NETWORK_ABSENT: {
    what: 'The authority has no network.',
    meaning: 'Its terminals would get no tunnel; nothing was done.',
    remedy: 'Set it with `checkpost authority network --file FILE`.',
  },
  NETWORK_FULL: {
    what: 'The address plan has no address left.',
    meaning: 'Nothing was done for this terminal.',
    remedy: 'Give the bureau a larger network with `checkpost authority network`.',
  },
  HUB_UNKNOWN: {
    what: 'The bureau has no hub of this name.',
    meaning: 'Nothing was done.',
    remedy: 'See the hubs with `checkpost authority network`.',
  },
  BUNDLE_INVALID: {
    what: 'The folder is not a complete bundle.',
    meaning: 'Nothing was changed on the terminal.',
    remedy: 'Copy the bundle again from the centre.',
  },
  TOKEN_EXPIRED: {
    what: 'The enrolment token has expired.',
    meaning: 'The terminal was not enrolled.',
    remedy: 'Have the centre make a new bundle.',
  },
  TOKEN_USED: {
    what: 'The enrolment token was used already.',
    meaning: 'The terminal was not enrolled; somebody enrolled with this bundle before.',
    remedy: 'If that was not you, tell the bureau at once; otherwise have a new bundle made.',
  },
  CODE_WRONG: {
    what: 'The enrolment code does not belong to this bundle.',
    meaning: 'The terminal was not enrolled.',
    remedy: 'Check the code that you were told.',
  },
  REQUEST_FOREIGN: {
    what: 'The answer belongs to another request, or the request to another authority or bundle.',
    meaning: 'The terminal was not enrolled; nothing was changed.',
    remedy:
      'Bring the answer made for the request of this terminal, or the request to the authority that made the bundle.',
  },
  TERMINAL_FOREIGN: {
    what: 'This machine is enrolled as another terminal.',
    meaning: 'Nothing was changed.',
    remedy: 'Take the bundle of this terminal, or enrol into an empty state folder.',
  },
  AUTHORITY_BUSY: {
    what: 'Another command is changing the authority.',
    meaning: 'Nothing was done.',
    remedy: 'Wait until the other command has ended and try again.',
  },
  FILE_REFUSED: {
    what: 'A file or folder could not be read or written.',
    meaning: 'The step was not done; files that were there before are whole.',
    remedy:
      'Check the path, its permissions and that the disk or stick is not full, then run the command again.',
  },

  // Uplink
  TUNNEL_FAILED: {
    what: 'The tunnel could not be brought up.',
    meaning: 'The terminal cannot reach the centre; documents are answered from the edition.',
    remedy: 'See the message of the tool in the log.',
  },
  ROUTING_FAILED: {
    what: 'Rules or routes of the uplinks could not be set.',
    meaning: 'The tunnel may leave by the wrong uplink or not at all; it is tried again by itself.',
    remedy: 'See the message of the tool in the log; `checkpost uplink status` says what stands.',
  },
  FIREWALL_FAILED: {
    what: 'The closed list could not be loaded into the firewall.',
    meaning: 'What was in force before stays; it is tried again by itself.',
    remedy: 'See the message of the tool in the log; another program may hold the rules.',
  },
  PROBE_FAILED: {
    what: 'A probe could not be sent.',
    meaning: 'Nothing is known of this uplink; the others are measured as before.',
    remedy:
      'See the message: the group of the uplink must stand in net.ipv4.ping_group_range (firmware-config/sysctl).',
  },
  HUB_UNREACHABLE: {
    what: 'A hub does not answer at its service.',
    meaning: 'It was not told of a new key or of the size of packets; it is tried again by itself.',
    remedy: 'Look whether the hub is up and `checkpost hub` runs there.',
  },
  HUB_REFUSED: {
    what: 'A hub refused what the terminal asked for.',
    meaning: 'Nothing was changed there.',
    remedy: 'See the message; the list of terminals of the hub must know this terminal and its uplinks.',
  },
  ROTATION_FAILED: {
    what: 'A new key could not be brought into force.',
    meaning: 'The key before stays in force; the tunnel works as before.',
    remedy: 'It is tried again by itself; see the log of the hub.',
  },
  CONFIGURATION_REFUSED: {
    what: 'A signed configuration of the uplinks was refused.',
    meaning: 'Nothing was changed.',
    remedy: 'See the message: it must be for this terminal and of a higher version than every one before it.',
  },
  COMMAND_INVALID: {
    what: 'What came as a command of the centre is none, or is for another terminal.',
    meaning: 'Nothing was done.',
    remedy: 'See the message; where it goes on, somebody else than the controller writes to the broker.',
  },
  COMMAND_UNKNOWN: {
    what: 'The command is none that this release of the terminal knows.',
    meaning: 'Nothing was done.',
    remedy: 'Bring the terminal up to the release of the centre.',
  },
  COMMAND_REFUSED_SESSION: {
    what: 'The command was meant for another session of the terminal.',
    meaning: 'Nothing was done: it may be an old one that came late, or that somebody kept.',
    remedy: 'Ask again; the centre then quotes the session of now.',
  },
  COMMAND_REPEATED: {
    what: 'The command is older than the last ones that the terminal remembers.',
    meaning: 'Nothing was done: it may have been carried out already.',
    remedy: 'Ask again.',
  },
  COMMAND_BUSY: {
    what: 'The terminal is still busy with a command.',
    meaning: 'Nothing was done; what is under way goes on.',
    remedy: 'Wait for its end, then ask again.',
  },
  COMMAND_TIMEOUT: {
    what: 'A command did not end in its time.',
    meaning: 'It counts as failed; what it had begun may still have had an effect.',
    remedy: 'Look at the state of the terminal, then ask again.',
  },
  COMMAND_INTERRUPTED: {
    what: 'The agent was started again while a command was under way.',
    meaning: 'The command counts as failed; how far it had come is not known.',
    remedy: 'Look at the state of the terminal, then ask again.',
  },
  COMMAND_UNSUPPORTED: {
    what: 'This terminal has no means to carry out the command.',
    meaning: 'Nothing was done.',
    remedy: 'See the message: it names the part that is not installed or does not run.',
  },
  COMMAND_EXPIRED: {
    what: 'A command was not answered in time.',
    meaning:
      'It was not carried out, or it was and its end has not arrived; an end that arrives later is still kept.',
    remedy: 'See whether the terminal is online and what it does, then ask again.',
  },
  TERMINAL_OFFLINE: {
    what: 'The terminal has no session with the centre now.',
    meaning: 'The command was not sent: it would have to quote a session.',
    remedy: 'Ask again when the terminal is online, or use a wave, which waits for it.',
  },
  CONFLICT: {
    what: 'Somebody else was faster.',
    meaning: 'Nothing was changed: what stands there now is not what the change was made from.',
    remedy: 'Look at it again as it stands now, then change that.',
  },
  BUNDLE_REFUSED: {
    what: 'A diagnostic bundle was refused.',
    meaning: 'It is not kept; earlier ones stay.',
    remedy: 'Ask for it again; see the message for the limit or the check that it did not pass.',
  },
  CONFIGURATION_INVALID: {
    what: 'A configuration of the centre has a setting that is not allowed, is missing or is unknown.',
    meaning:
      'The terminal refused it as a whole and runs what it ran before; that version is not tried again.',
    remedy:
      'Correct the settings named in a layer of the configuration; the centre then sends a higher version.',
  },
  CONFIGURATION_OLDER: {
    what: 'A configuration of the centre is older than one that the terminal has accepted.',
    meaning:
      'Nothing was changed. Somebody sent an old message again, or the centre was restored from a backup.',
    remedy:
      'See what the terminal runs and change the configuration at the centre, which raises its version.',
  },
  CONFIGURATION_NOT_FOR_US: {
    what: 'A configuration of the centre is meant for another terminal, site or bureau.',
    meaning: 'Nothing was changed.',
    remedy: 'Check at the centre which site and bureau the terminal is registered for, and its agent.json.',
  },
  CONFIGURATION_FAILED_BEFORE: {
    what: 'A configuration of the centre was refused or undone before.',
    meaning: 'Nothing was changed: the terminal does not try a version again that has failed.',
    remedy: 'Correct the configuration at the centre; a higher version is tried.',
  },
  CONFIGURATION_CUT_OFF: {
    what: 'With a new configuration the terminal did not reach the centre, though the one before would have.',
    meaning: 'The terminal went back to the configuration before and refuses that version from now on.',
    remedy: 'Correct the address of the broker or of the lookup service in the configuration.',
  },
  CONFIGURATION_READER_LOST: {
    what: 'With a new configuration a reader that worked before did not become ready.',
    meaning: 'The terminal went back to the configuration before and refuses that version from now on.',
    remedy:
      'Correct the device or the profile of the reader named; `checkpost readers` lists what is plugged in.',
  },
  CONFIGURATION_CRASHED: {
    what: 'With a new configuration the agent did not start, or ended again and again.',
    meaning: 'The terminal went back to the configuration before and refuses that version from now on.',
    remedy: 'See the log of the terminal for why, and correct the configuration.',
  },
  CONFIGURATION_DAMAGED: {
    what: 'A configuration that the terminal kept cannot be read or is not signed by a key that it trusts.',
    meaning: 'The terminal runs what enrolment wrote until the centre has sent its configuration again.',
    remedy: 'Check the disk of the terminal, and that its trusted keys are those of the authority.',
  },
  STOP_TIMEOUT: {
    what: 'The agent did not end in time.',
    meaning: 'The process ends without it; what was committed is kept, and systemd starts it again.',
    remedy: 'Nothing has to be done. If it happens again, send a diagnostic bundle.',
  },
  UPLINK_ABSENT: {
    what: 'Nothing answers at the control socket of the uplink.',
    meaning: 'Nothing is known of the uplinks; a tunnel that was up stays up.',
    remedy: 'See whether it runs: systemctl status checkpost-uplink.',
  },
  UPLINK_DENIED: {
    what: 'The user of this program may not ask that of the uplink.',
    meaning: 'Nothing was done.',
    remedy: 'Run the command as root.',
  },
  UPLINK_REQUEST_INVALID: {
    what: 'The uplink was sent a request that it does not understand.',
    meaning: 'Nothing was done.',
    remedy: 'See the message; docs/integrator.md has the verbs.',
  },
  TIME_FLOOR_FAILED: {
    what: 'The last verified time could not be read, kept or set.',
    meaning: 'If the clock has gone back, the hubs refuse this terminal until they are told to forget it.',
    remedy: 'See the message; at the hub: checkpost hub reset TERMINAL.',
  },
} as const satisfies Record<string, { what: string; meaning: string; remedy: string }>;

export type ErrorCode = keyof typeof errors;
