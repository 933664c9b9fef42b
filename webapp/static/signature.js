// Signing with a finger. Lines are kept as whole numbers on a field of 1000 by 400, whatever the screen's size: turning
// the phone or changing the text size draws them again, and they are sent in the form's hidden field.

const WIDTH = 1000;
const HEIGHT = 400;
// As on the server: less ink than this is no name.
const LEAST_INK = 150;

function read(field) {
  try {
    const found = JSON.parse(field.value || "[]");
    return Array.isArray(found) ? found : [];
  } catch {
    return [];
  }
}

function ink(strokes) {
  let length = 0;
  for (const stroke of strokes)
    for (let n = 1; n < stroke.length; n++) length += Math.hypot(stroke[n][0] - stroke[n - 1][0], stroke[n][1] - stroke[n - 1][1]);
  return length;
}

function setUp(pad) {
  const canvas = pad.querySelector("canvas");
  const field = document.getElementById(pad.dataset.pad);
  const pen = canvas.getContext("2d");
  let strokes = read(field);
  let current = null;

  const trace = (stroke) => {
    pen.beginPath();
    stroke.forEach(([x, y], n) => {
      const at = [(x / WIDTH) * canvas.width, (y / HEIGHT) * canvas.height];
      if (n) pen.lineTo(...at);
      else pen.moveTo(...at);
    });
    pen.stroke();
  };
  const draw = () => {
    const scale = window.devicePixelRatio || 1;
    const box = canvas.getBoundingClientRect();
    if (!box.width) return;
    canvas.width = Math.round(box.width * scale);
    canvas.height = Math.round(box.height * scale);
    pen.lineCap = pen.lineJoin = "round";
    pen.lineWidth = Math.max(2.5, box.width / 130) * scale;
    pen.strokeStyle = getComputedStyle(canvas).color;
    strokes.forEach(trace);
  };
  const keep = () => {
    field.value = strokes.length ? JSON.stringify(strokes) : "";
    pad.classList.toggle("pad_signed", ink(strokes) >= LEAST_INK);
  };
  const point = (event) => {
    const box = canvas.getBoundingClientRect();
    const whole = (part, most) => Math.min(most, Math.max(0, Math.round(part * most)));
    return [whole((event.clientX - box.left) / box.width, WIDTH), whole((event.clientY - box.top) / box.height, HEIGHT)];
  };

  canvas.addEventListener("pointerdown", (event) => {
    if (!event.isPrimary || event.button > 0) return;
    event.preventDefault();
    try {
      canvas.setPointerCapture(event.pointerId);
    } catch {
      // Some web views cannot; the line then ends at the field's edge.
    }
    current = [point(event)];
    strokes.push(current);
    draw();
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!current || !event.isPrimary) return;
    const steps = event.getCoalescedEvents?.() ?? [];
    for (const step of steps.length ? steps : [event]) {
      const next = point(step);
      const last = current[current.length - 1];
      // Two units apart: finer than a pen, and a long name stays small.
      if (Math.hypot(next[0] - last[0], next[1] - last[1]) < 2) continue;
      current.push(next);
      trace([last, next]);
    }
  });
  for (const end of ["pointerup", "pointercancel", "lostpointercapture"])
    canvas.addEventListener(end, () => {
      if (!current) return;
      current = null;
      keep();
    });
  pad.querySelector("[data-clear]").addEventListener("click", () => {
    strokes = [];
    keep();
    draw();
  });

  pad.hidden = false;
  new ResizeObserver(draw).observe(canvas);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  // A page that comes back from the browser's memory has an empty canvas, and its field still holds the lines.
  addEventListener("pageshow", () => {
    strokes = read(field);
    keep();
    draw();
  });
  keep();
  draw();
}

for (const pad of document.querySelectorAll("[data-pad]")) setUp(pad);
