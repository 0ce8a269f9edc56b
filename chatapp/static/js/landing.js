// Opens a room where its reader left off. Holds back the first painting, so that nothing is seen to jump; a page whose
// scripts do not run opens at the end, with a link to what is new.

const SHARE = 0.25; // of the window that stays above what is new

const timeline = document.querySelector(".room .timeline");
const { landing } = document.querySelector("main.room")?.dataset ?? {};
const target = landing && !location.hash ? document.getElementById(landing) : null;
if (timeline && target) {
  const view = timeline.getBoundingClientRect();
  const share = landing === "new" ? SHARE * view.height : 0;
  // the list is column-reverse: at the end it stands at 0. What fits into the window moves nothing
  const moved = target.getBoundingClientRect().top - view.top - share;
  if (moved < 0) timeline.scrollTop += moved;
}
