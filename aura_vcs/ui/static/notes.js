// Notes where they belong: markers along a player, regions in a picture; and new ones are placed there.
'use strict';
(() => {
  const { $, $$, make, body } = aura;
  const noted = $('[data-noted]');
  const media = noted && $('img, video, audio', noted);
  const moments = $('[data-moments]');
  const isPlayer = media && media.tagName !== 'IMG';
  const reduced = matchMedia('(prefers-reduced-motion: reduce)').matches;
  const MOMENT = 0.6; // a note on a moment is looked at for so many seconds before and after it

  const clock = (seconds) => {
    const minutes = Math.floor(seconds / 60);
    const rest = (seconds - 60 * minutes).toFixed(2).padStart(5, '0').replace(/\.?0+$/, '');
    return minutes < 60 ? `${minutes}:${rest}` : `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, '0')}:${rest}`;
  };
  const notes = () => $$('#notes-list > .note').map((row) => ({
    row,
    words: $('.note-text', row).textContent,
    start: row.dataset.start === undefined ? null : Number(row.dataset.start),
    end: row.dataset.end === undefined ? null : Number(row.dataset.end),
    region: row.dataset.region ? row.dataset.region.split(',').map(Number) : null,
  }));

  // ── those there are
  const point = (row) => {
    for (const other of $$('.note.pointed')) other.classList.remove('pointed');
    row.classList.add('pointed');
    row.scrollIntoView({ block: 'nearest', behavior: reduced ? 'auto' : 'smooth' });
  };
  const goTo = (note) => {
    if (isPlayer && note.start !== null) { media.pause(); media.currentTime = Math.min(note.start, media.duration || note.start); }
    point(note.row);
    show();
  };
  const placed = (made, [left, top, width, height]) => {
    Object.assign(made.style, { left: `${100 * left}%`, top: `${100 * top}%`, width: `${100 * width}%`, height: `${100 * height}%` });
    return made;
  };
  const draw = () => {
    if (!media) return;
    for (const made of $$('.region:not(.new), .moment')) made.remove();
    for (const note of notes()) {
      const looks = note.row.classList.contains('resolved') ? ' resolved' : '';
      if (note.region && media.tagName !== 'AUDIO') {
        const box = make(isPlayer ? 'span' : 'button', { className: `region${looks}`, title: note.words });
        box.dataset.note = note.row.id;
        if (!isPlayer) { box.ariaLabel = `Region: ${note.words}`; box.onclick = () => goTo(note); }
        noted.append(placed(box, note.region));
      }
      if (moments && note.start !== null && media.duration) {
        const mark = make('button', { className: `moment${looks}`, title: note.words, ariaLabel: `${clock(note.start)}: ${note.words}`, onclick: () => goTo(note) });
        mark.style.left = `${Math.min(100, 100 * note.start / media.duration)}%`;
        mark.style.width = `${Math.min(100, 100 * (note.end - note.start) / media.duration)}%`;
        moments.append(mark);
      }
    }
    show();
  };
  const show = () => {
    const at = isPlayer ? media.currentTime : 0;
    for (const note of notes()) {
      const isNow = isPlayer && note.start !== null && at >= note.start - MOMENT && at <= note.end + MOMENT;
      note.row.classList.toggle('now', isNow);
      const box = $(`.region[data-note="${note.row.id}"]`);
      if (!box) continue;
      box.hidden = isPlayer && note.start !== null && !isNow;
      box.classList.toggle('pointed', note.row.classList.contains('pointed'));
    }
  };

  // ── a new one
  const form = $('#notes form.commit');
  const place = form && $('[data-place]', form);
  const where = form && $('[data-whole]', form);
  const pen = form && $('[data-draw]', form);
  const say = (text) => { place.value = text; spell(); $('[name=text]', form).focus({ preventScroll: true }); };
  const spell = () => { const text = place.value.trim().replace(/^@/, ''); where.value = where.dataset.whole + (text ? `@${text}` : ''); };
  const drawing = (is) => {
    noted.classList.toggle('drawing', is);
    pen.setAttribute('aria-pressed', is);
    if (is && isPlayer) media.pause();
    if (is) noted.scrollIntoView({ block: 'nearest' });
  };
  const per = (share) => Number((100 * share).toFixed(2));
  let from = null;
  const at = (event) => {
    const box = noted.getBoundingClientRect();
    const within = (share) => Math.min(1, Math.max(0, share));
    return [within((event.clientX - box.left) / box.width), within((event.clientY - box.top) / box.height)];
  };
  const between = ([x, y], [otherX, otherY]) => [Math.min(x, otherX), Math.min(y, otherY), Math.abs(otherX - x), Math.abs(otherY - y)];
  const began = (event) => {
    if (!noted.classList.contains('drawing') || event.button) return;
    event.preventDefault();
    from = at(event);
    $('.region.new')?.remove();
    noted.append(make('span', { className: 'region new' }));
    noted.setPointerCapture(event.pointerId);
  };
  const moved = (event) => { if (from) placed($('.region.new'), between(from, at(event))); };
  const ended = (event) => {
    if (!from) return;
    const [left, top, width, height] = between(from, at(event));
    from = null;
    if (width < 0.005 || height < 0.005) { $('.region.new')?.remove(); return; }
    drawing(false);
    const [x, y, right, bottom] = [left, top, left + width, top + height].map(per);
    const region = `${x}%,${y}%,${Number((right - x).toFixed(2))}%x${Number((bottom - y).toFixed(2))}%`;
    say(isPlayer ? `${clock(media.currentTime)}@${region}` : region);
  };

  document.addEventListener('click', (event) => {
    const row = event.target.closest('[data-goto]')?.closest('.note');
    if (row) { noted?.scrollIntoView({ block: 'nearest' }); goTo(notes().find((note) => note.row === row)); }
  });
  if (place) {
    place.addEventListener('input', spell);
    form.addEventListener('reset', () => setTimeout(() => { place.value = ''; spell(); $('.region.new')?.remove(); }));
    $('[data-here]', form)?.addEventListener('click', () => { if (media) { media.pause(); say(clock(media.currentTime)); } });
  }
  if (pen && noted) {
    pen.addEventListener('click', () => drawing(!noted.classList.contains('drawing')));
    document.addEventListener('keydown', (event) => { if (event.key === 'Escape' && noted.classList.contains('drawing')) drawing(false); });
    noted.addEventListener('pointerdown', began);
    noted.addEventListener('pointermove', moved);
    noted.addEventListener('pointerup', ended);
    noted.addEventListener('pointercancel', () => { from = null; $('.region.new')?.remove(); });
  }
  if (isPlayer) {
    media.addEventListener('loadedmetadata', draw);
    for (const name of ['timeupdate', 'seeked']) media.addEventListener(name, show);
  }
  body.addEventListener('aura:fresh', draw);
  draw();
})();
