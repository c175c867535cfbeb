// What is said of an action when it is done, made of the JSON that the command line prints for the same.
'use strict';
const auraWords = (() => {
  const size = (bytes) => {
    const units = ['bytes', 'KB', 'MB', 'GB', 'TB', 'PB'];
    let n = 0;
    while (bytes >= 999.95 && n < 5) { bytes /= 1000; n += 1; }
    return n ? `${bytes.toFixed(1)} ${units[n]}` : bytes === 1 ? '1 byte' : `${bytes} bytes`;
  };
  const many = (count, one) => `${count.toLocaleString('en')} ${one}${count === 1 ? '' : 's'}`;
  const versions = (ids) => many(ids.length, 'version');
  const file = (job) => (job.output_file || job.output_file_path || '').split('/').pop();
  const came = (done) => done.versions.length ? `Fetched ${versions(done.versions)} from ${done.remote}.` : `${done.remote} has nothing new.`;
  const sent = (done) => done.versions.length ? `Sent ${versions(done.versions)} to ${done.remote}.` : `${done.remote} has everything.`;
  const pulled = (done) => {
    const said = [came(done.fetched)];
    if (done.merged.length) said.push(`Merged ${versions(done.merged)}.`);
    if (done.changed_paths) said.push(`${many(done.changed_paths, 'path')} changed.`);
    if (done.diverged.length) said.push('The branch has diverged: both are kept, and your files were left alone. Look at both under Merge.');
    else if (done.in_the_way.length) said.push(`Unsaved changes are in the way in ${many(done.in_the_way.length, 'file')}: your files were left alone.`);
    else if (done.without_content) said.push('The content of its newest version is not to be had: your files were left alone.');
    return said.join(' ');
  };
  const synced = (done) => {
    const said = [pulled(done.pulled)];
    if (done.pushed) said.push(sent(done.pushed));
    if (done.unsaved?.length) said.push(`${many(done.unsaved.length, 'file')} with unsaved changes stayed here.`);
    return said.join(' ');
  };
  const moved = (done) => {
    const kept = done.restore_point ? ` What was unsaved is in the restore point v${done.restore_point.number}.` : '';
    return `${many(done.changed_paths, 'path')} changed.${kept}`;
  };
  const arrived = (done) => `You are ${done.branch ? `on ${done.branch}` : `at v${done.head.number}, on no branch`} now. ${moved(done)}`;
  const decided = (done) => `Decided ${many(done.decided.length, 'conflict')}; ${done.left.length ? `${done.left.length} left` : 'none is left'}.`;
  const edited = ({ changed, version }) => changed ? `v${version.number} is “${version.name}”${version.important ? ', marked as important' : ''}.` : 'It was like that already: nothing was changed.';
  const said = {
    commit: (done) => done.created ? `Saved v${done.version.number} “${done.version.name}”.` : 'Nothing had changed: no version was made.',
    undo: (done) => `Undid: ${done.operation.description}.`,
    redo: (done) => `Redid: ${done.operation.description}.`,
    tag: (done) => `Tagged ${done.tag.name}.`,
    'tag/delete': (done) => `Deleted the tag ${done.deleted}.`,
    branch: (done) => `Began the branch ${done.branch.name}.`,
    'version/edit': edited,
    'version/delete': (done) => `Deleted v${done.version.number}.`,
    'version/undelete': (done) => `Brought back v${done.version.number}.`,
    merge: (done) => done.kind === 'up_to_date' ? 'Your branch has everything of it already: nothing was changed.'
      : done.conflicts.length ? `Merged; ${many(done.conflicts.length, 'conflict')} left to decide.`
        : done.kind === 'forward' ? 'Your branch was fast-forwarded: nothing needed merging.' : 'Merged.',
    'merge/abort': (done) => `Undid: ${done.operation.description}. Your files are as before it.`,
    resolve: decided, 'resolve/text': decided, 'resolve/edit': decided,
    restore: (done) => !done.changed_paths && !done.restore_point ? 'Your files are like that already: nothing was changed.' : moved(done),
    checkout: (done, at) => did('checkout', done, at) ? arrived(done) : 'You are there already: nothing was changed.',
    'export/version': (done) => `Wrote ${many(done.files, 'file')} to ${done.path}.`,
    'export/run': (done) => `Exported ${file(done.export)}.`,
    'export/retry': (done) => `Exported ${file(done.export)}.`,
    'export/cancel': (done) => `Cancelled the export ${file(done.export)}.`,
    note: () => 'Noted.', 'note/reply': () => 'Answered.',
    'note/resolve': () => 'The note is resolved.', 'note/reopen': () => 'The note is open again.', 'note/delete': () => 'Deleted the note.',
    'storage/free': (done) => `Freed ${size(done.freed_bytes)}.`,
    push: sent, fetch: came, pull: pulled, sync: synced,
  };
  // Whether there is something to take back: Undo after what did nothing would take back what was done before.
  const idle = {
    commit: (done) => !done.created,
    'version/edit': (done) => !done.changed,
    restore: (done) => !done.changed_paths && !done.restore_point,
    checkout: (done, at) => !done.changed_paths && !done.restore_point && at === placeOf(done),
    merge: (done) => done.kind === 'up_to_date',
  };
  const placeOf = (done) => `${done.branch || ''} ${done.head?.id || ''}`;
  const did = (name, done, at) => !done || !idle[name]?.(done, at);
  return { size, did, words: (name, done, at) => (done && said[name] ? said[name](done, at) : 'It is done.') };
})();
