// Shows a page in a headless Chromium at two widths: node screenshot.mjs URL FOLDER, in a folder with puppeteer-core.
// NEWS_TEST_BROWSER names the browser. Prints what was asked for, and how wide the page is at each width.
import {createRequire} from 'node:module';
const puppeteer = createRequire(process.cwd() + '/')('puppeteer-core');
const [, , url, folder] = process.argv;
const browser = await puppeteer.launch({
  executablePath: process.env.NEWS_TEST_BROWSER,
  headless: 'shell',
  args: ['--no-sandbox', '--no-zygote', '--single-process', '--disable-gpu', '--no-proxy-server'],
});
const page = await browser.newPage();
const asked = [];
page.on('request', request => asked.push(request.url()));
const widths = {};
for (const [width, scheme] of [[1280, 'light'], [400, 'dark']]) {
  await page.setViewport({width, height: 900});
  await page.emulateMediaFeatures([{name: 'prefers-color-scheme', value: scheme}]);
  await page.goto(url);
  widths[width] = await page.evaluate(() => document.documentElement.scrollWidth);
  await page.screenshot({path: `${folder}/${width}.png`, fullPage: true});
}
console.log(JSON.stringify({asked, widths}));
await browser.close();
